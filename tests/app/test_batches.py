import threading
import time

from app.batches import Batches


class Worker:
    """Keeps the batches it was given, and can be made to wait."""

    def __init__(self):
        self.batches = []
        self.go_on = threading.Event()
        self.go_on.set()
        self.busy = threading.Event()

    def __call__(self, batch):
        self.busy.set()
        self.go_on.wait(20)
        self.batches.append(batch)


def test_what_comes_while_a_batch_is_worked_on_is_the_next_batch():
    worker = Worker()
    worker.go_on.clear()
    batches = Batches("test", worker, most=3)
    batches.put(0)
    assert worker.busy.wait(20)
    for number in range(1, 6):
        batches.put(number)
    worker.go_on.set()
    batches.close()
    assert worker.batches == [[0], [1, 2, 3], [4, 5]]


def test_one_alone_waits_for_nobody():
    waited = []
    batches = Batches("test", Worker(), most=8, company_s=10, on_the_way=lambda: 1, waited=waited.append)
    batches.put("alone")
    batches.close()
    assert waited[0] < 5


def test_who_could_have_company_waits_for_it_and_no_longer_than_agreed():
    worker, waited = Worker(), []
    worker.go_on.clear()
    batches = Batches("test", worker, most=8, company_s=0.02, on_the_way=lambda: 1, waited=waited.append)
    batches.put(0)
    assert worker.busy.wait(20)
    batches.put(1)
    batches.put(2)
    worker.go_on.set()
    while len(worker.batches) < 2:
        time.sleep(0.001)
    batches.put(3)
    batches.close()
    assert worker.batches == [[0], [1, 2], [3]]
    assert waited[1] < 0.02 <= waited[2] + 0.02


def test_nobody_waits_where_nobody_is_on_the_way():
    worker, waited = Worker(), []
    worker.go_on.clear()
    batches = Batches("test", worker, most=8, company_s=10, waited=waited.append)
    for number in range(3):
        batches.put(number)
    worker.go_on.set()
    batches.close()
    batches = Batches("test", worker, most=8, company_s=10, waited=waited.append)
    batches._last_size = 3
    batches.put("alone")
    batches.close()
    assert max(waited) < 5


def test_a_batch_that_fails_does_not_end_the_thread(caplog):
    done = []

    def work(batch):
        if batch == ["bad"]:
            raise ValueError("no")
        done.extend(batch)

    batches = Batches("test", work, most=1)
    batches.put("bad")
    batches.put("good")
    batches.close()
    assert done == ["good"]
    assert "not worked on" in caplog.text
