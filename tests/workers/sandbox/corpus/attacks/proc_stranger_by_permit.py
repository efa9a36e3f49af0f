# tries: in place of a child that is asked for, to fork a process that nobody knows
# correct: killed error harmless
import array, ctypes, os, platform, sys
fork_call = {"x86_64": 56, "aarch64": 220}[platform.machine()]
syscall = ctypes.PyDLL(None).syscall
frame = sys._getframe()
while not hasattr(frame.f_locals.get("self"), "_control"): frame = frame.f_back
node = frame.f_locals["self"]
class Between:
    def __init__(self, inner): self.inner = inner
    def __getattr__(self, name): return getattr(self.inner, name)
    def recvmsg(self, *room):
        order = self.inner.recvmsg(*room)
        if order[1] and syscall(fork_call, 0x8011, 0, 0, 0, 0) == 0:
            held = bytearray(64 << 20)
            while True: held[::4096] = bytes(len(held) // 4096)
        return order
node._control = Between(node._control)
print("the next step")
print("and one more")
