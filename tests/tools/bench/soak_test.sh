#!/bin/sh
# Runs ten million requests with each completion mode and notification, four jobs for each slot.
# ghostcard saturate exits with 1 if a request is lost, completes twice or fails.
# Argument: the ghostcard program. Environment: SOAK_REQUESTS replaces the ten million.
exec "$1" saturate --profile ideal --operation null --depth 64 --overload 4 --retry when_space \
  --completion interrupt,polling,inline --requests "${SOAK_REQUESTS:-10000000}"
