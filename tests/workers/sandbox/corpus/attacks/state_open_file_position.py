# tries: to leave files open, and to learn from their positions what others have read
# correct: harmless error
import os
file, folder = open(os.__file__, "rb", buffering=0), os.open("/usr/share/zoneinfo", os.O_RDONLY)
places = [os.lseek(file.fileno(), 0, 1)]
file.read(1000)
os.listdir(folder)
places.append(os.lseek(file.fileno(), 0, 1))
print("BREACH" if places != [0, 1000] else "own position", places)
