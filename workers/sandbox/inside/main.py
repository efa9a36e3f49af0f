"""The zygote: the interpreter that warms up, confines itself, and is then forked.

It is a program of its own, not a fork of the guard, so that its memory has fewer mappings. No user
code runs in it.
"""

import builtins
import fcntl
import json
import os
import site
import socket
import sys
import types
from typing import Any, NoReturn, TypeAlias

from . import confine, mapped, node, pages, warm

Config: TypeAlias = dict[str, Any]


def main() -> NoReturn:
    """Read the configuration, warm up, confine this process, report that, and serve."""
    control = socket.socket(fileno=fcntl.fcntl(node.CONTROL, fcntl.F_DUPFD_CLOEXEC, 10))
    try:
        config: Config = json.loads(control.recv(1 << 17))
        names = prepare(config)
        root = node.Node(names, config["clone"], config["text"], config["files"])
        root.warm_up()
        pages.compact()
        root.measure_memory()
        in_force = confine_process(config)
        listener = confine.filter_calls(bytes.fromhex(config["filter"]), config["listener"])
    except BaseException as error:
        control.sendmsg([json.dumps({"error": f"{type(error).__name__}: {error}"}).encode()])
        os._exit(1)
    rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, listener.to_bytes(4, sys.byteorder))]
    control.sendmsg([json.dumps(in_force).encode()], rights if config["listener"] else [])
    os.close(control.detach())
    os.closerange(node.CONTROL + 1, config["files"])
    root.serve(bytes.fromhex(config["child_filter"]))


def prepare(config: Config) -> dict[str, Any]:
    """Do everything that needs files or memory, before they are denied; returns `__main__`."""
    confine.name_process(f"sandbox-{config['flavour']}")
    sys.path[:] = [path for path in sys.path if path != config["home"] and os.path.exists(path)]
    sys.path += config["site"]
    site.setquit()
    warm.warm_up(config["flavour"])
    sys.set_int_max_str_digits(0)
    sys.argv = [""]
    for name in [name for name in sys.modules if name.split(".")[0] == "inside"]:
        del sys.modules[name]
    module = types.ModuleType("__main__")
    vars(module)["__builtins__"] = builtins
    sys.modules["__main__"] = module
    os.chdir("/")
    return vars(module)


def confine_process(config: Config) -> dict[str, Any]:
    """Install every protection but the filter, which must be last; returns what is in force."""
    mapped.make_sure()
    confine.be_killed_before_the_worker()
    nowhere = os.open("/dev/null", os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nowhere, number)
    os.close(nowhere)
    os.environ.clear()
    os.environ.update(config["threads"])
    nobody = confine.become_nobody(sys.path)
    confine.no_new_privileges()
    readable = [*config["readable"], *sys.path, f"{sys.base_prefix}/lib"]
    abi = confine.landlock(readable) if config["landlock"] else 0
    confine.drop_capabilities()
    confine.make_non_dumpable()
    confine.limit(config["files"], config["cpu"])
    return {"landlock": abi, "nobody": nobody}
