"""Pieces of programs that misuse their own process: they find its socket and forge its report."""

# Names of the interpreter's own loop: `node`, its socket `control`, and the current `nonce`.
FIND_ITSELF = """
import sys
frame, nonce, control = sys._getframe(), None, None
while frame is not None:
    names = frame.f_locals
    nonce = getattr(names.get("request"), "nonce", nonce)
    if hasattr(names.get("self"), "_control"):
        node, control = names["self"], names["self"]._control
    frame = frame.f_back
"""
# A report of success, before the step has ended.
FORGE_SUCCESS = (
    FIND_ITSELF
    + """
import struct
control.sendmsg([struct.pack("=16sBBiiII", nonce, 1, 0, -1, 0, 0, 0)])
"""
)
# To be completed: what it does in place of a child when it is asked for one. It has the child's
# descriptors then, and a permit for one fork.
IN_PLACE_OF_A_CHILD = (
    FIND_ITSELF
    + """
import array, ctypes, os, time
libc = ctypes.PyDLL(None)
def fork(): return libc.syscall({clone}, 0x8011, 0, 0, 0, 0)
class Own:
    def __init__(self, socket): self.socket = socket
    def __getattr__(self, name): return getattr(self.socket, name)
    def recvmsg(self, *size):
        order = self.socket.recvmsg(*size)
        if order[1]:
            child, output = array.array("i", order[1][0][2])
            {instead}
        return order
node._control = Own(control)
"""
)
