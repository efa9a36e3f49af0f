# tries: to report success itself, and to be busy when it is asked for the next step
# correct: killed error harmless timeout
import struct, sys
def itself():
    frame, nonce, control = sys._getframe(), None, None
    while frame is not None:
        names = frame.f_locals
        nonce = getattr(names.get("request"), "nonce", nonce)
        control = getattr(names.get("self"), "_control", control)
        frame = frame.f_back
    return nonce, control
nonce, control = itself()
def report(): control.sendmsg([struct.pack("=16sBBiiII", itself()[0], 1, 0, -1, 0, 0, 0)])
for _ in "x":
    report()
    while True: pass
print("the next step")
print("and one more")
