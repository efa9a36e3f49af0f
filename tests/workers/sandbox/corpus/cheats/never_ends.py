# tries: run out of time in a way that cannot be interrupted
# correct: harmless
def total(numbers):
    while True:
        try:
            while True:
                pass
        except BaseException:
            pass
