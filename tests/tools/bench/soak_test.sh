#!/bin/sh
# Ten million requests through every completion mode and notification, with four jobs for each slot.
# ghostcard saturate exits with 1 if anything is lost, completed twice or failed.
# Argument: the ghostcard program. SOAK_REQUESTS: another number of requests.
exec "$1" saturate --profile ideal --operation null --depth 64 --overload 4 --retry when_space \
  --completion interrupt,polling,inline --requests "${SOAK_REQUESTS:-10000000}"
