"""Bugs, planted one at a time, for the swarm to find."""

load("@rules_cc//cc:defs.bzl", "cc_binary")

def planted_bug(name, file):
    """The bug of `name`.patch in `file`, and the test that simulated seeds find it.

    The patched file is compiled into the program itself, so that the linker has no use for the
    library's own copy: nothing else is compiled anew.
    """
    package, source = file.split(":")
    patched = name + "_source/" + source
    native.genrule(
        name = name + "_patched",
        srcs = [
            file,
            name + ".patch",
        ],
        outs = [patched],
        cmd = "cp $(location {file}) $@ && patch --quiet --fuzz=0 $@ $(location {name}.patch)".format(
            file = file,
            name = name,
        ),
        tags = ["planted"],
    )
    cc_binary(
        name = name,
        testonly = True,
        srcs = [patched],
        linkstatic = True,
        tags = ["planted"],
        deps = [":simulate_main"],
    )
    native.sh_test(
        name = name + "_test",
        size = "small",
        srcs = ["planted_test.sh"],
        args = ["$(location :{})".format(name)],
        data = [":" + name],
        tags = ["planted"],
    )
