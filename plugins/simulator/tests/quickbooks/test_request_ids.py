"""requestid: replay, length, conflict, per company and per batch item (QuickBooks manual 5)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

UUID = "2d8d7c5e-3a57-4a6f-9c54-0f2a3c5a9a11"


def test_repeated_create_answers_the_same_and_creates_once(books):
    first = books.call("POST", "vendor", {"DisplayName": "Once"}, requestid=UUID)
    books.advance(minutes=1)
    second = books.call("POST", "vendor", {"DisplayName": "Once"}, requestid=UUID)
    assert second.content == first.content
    assert books.written() == {"Vendor": {"create": 1}}


def test_repeated_update_and_delete(books):
    order = books.order()
    change = {"Id": order["Id"], "SyncToken": "0", "sparse": True, "Memo": "x"}
    delete = {"Id": order["Id"], "SyncToken": "1"}
    for _ in range(2):
        assert books.write("PurchaseOrder", change, requestid="u")["SyncToken"] == "1"
    for _ in range(2):
        answer = books.post("purchaseorder", delete, requestid="d", operation="delete")
        assert answer["PurchaseOrder"]["status"] == "Deleted"
    assert books.written()["PurchaseOrder"] == {"create": 1, "update": 1, "delete": 1}


def test_first_answer_with_the_plain_tax_identifier_is_replayed(books):
    body = {"DisplayName": "A", "TaxIdentifier": "123456789"}
    for _ in range(2):
        assert books.write("Vendor", body, requestid="t")["TaxIdentifier"] == "123456789"


def test_other_payload_under_the_same_id(books):
    books.write("Vendor", {"DisplayName": "First"}, requestid="x")
    body = {"DisplayName": "Second"}
    assert books.write("Vendor", body, requestid="x")["DisplayName"] == "First"
    books.switch(request_id_conflict="600")
    assert books.refused("Vendor", body, requestid="x")["code"] == "600"
    assert books.write("Vendor", {"DisplayName": "First"}, requestid="x")


def test_refusals_are_not_remembered_unless_switched(books):
    body = {"DisplayName": "Hicks Hardware"}
    assert books.refused("Vendor", body, requestid="x")["code"] == "6240"
    vendor = books.read("Vendor", books.VENDOR)
    books.write("Vendor", {**vendor, "DisplayName": "Renamed"})
    assert books.write("Vendor", body, requestid="x")
    books.switch(request_id_failures=True)
    assert books.refused("Vendor", body, requestid="y")["code"] == "6240"
    assert books.refused("Vendor", {"DisplayName": "Free"}, requestid="y")["code"] == "6240"


def test_length_of_an_id(books):
    assert books.write("Vendor", {"DisplayName": "A"}, requestid="x" * 50)
    error = books.refused("Vendor", {"DisplayName": "B"}, requestid="abcdefghij" * 6)
    assert error["code"] == "6000"
    assert error["Detail"] == (
        "Business Validation Error: You cannot enter more than 50 characters in the request_id "
        "field. You tried entering abcdefghij..., which is 60 characters."
    )


def test_ids_are_forgotten_by_switch(books):
    books.switch(request_id_hours=24)
    books.write("Vendor", {"DisplayName": "A"}, requestid="x")
    books.advance(hours=23, minutes=59)
    assert books.write("Vendor", {"DisplayName": "A"}, requestid="x")
    books.advance(minutes=1)
    assert books.refused("Vendor", {"DisplayName": "A"}, requestid="x")["code"] == "6240"


def test_ids_belong_to_a_company(books, other_books):
    one = books.write("Vendor", {"DisplayName": "A"}, requestid="x")
    other = other_books.write("Vendor", {"DisplayName": "B"}, requestid="x")
    assert (one["DisplayName"], other["DisplayName"]) == ("A", "B")


def test_id_of_a_request_under_way_is_refused(books):
    books.simulator.control.set_latency(per_call_ms=300)
    with ThreadPoolExecutor(2) as pool:
        answers = list(
            pool.map(lambda _: books.call("POST", "vendor", {"DisplayName": "A"}, requestid="x"), range(2))
        )
    statuses = sorted(answer.status_code for answer in answers)
    assert statuses == [200, 400]
    (refusal,) = [answer for answer in answers if answer.status_code == 400]
    assert books.fault(refusal)["code"] == "600"


def test_reads_and_queries_know_no_request_ids(books):
    assert books.get("query", query="select count(*) from Class", requestid="x" * 60)


class TestBatch:
    @staticmethod
    def item(bid, name):
        return {"bId": bid, "operation": "create", "Vendor": {"DisplayName": name}}

    def test_each_item_is_replayed(self, books):
        items = [self.item("1", "A"), self.item("2", "Hicks Hardware")]
        first = books.batch(*items, requestid=UUID)
        vendor = books.read("Vendor", books.VENDOR)
        books.write("Vendor", {**vendor, "DisplayName": "Renamed"})
        second = books.batch(*items, requestid=UUID)
        assert second[0] == first[0]
        assert "Fault" in first[1]
        assert second[1]["Vendor"]["DisplayName"] == "Hicks Hardware"
        assert books.written()["Vendor"]["create"] == 2

    def test_items_are_known_by_their_bid(self, books):
        books.batch(self.item("1", "A"), requestid="r")
        (moved,) = books.batch(self.item("2", "B"), requestid="r")
        assert moved["Vendor"]["DisplayName"] == "B"

    def test_id_and_bid_together_are_limited(self, books):
        answers = books.batch(self.item("b" * 14, "A"), self.item("b" * 15, "B"), requestid="r" * 36)
        assert "Vendor" in answers[0]
        (error,) = answers[1]["Fault"]["Error"]
        assert error["code"] == "6000"
        assert "which is 51 characters." in error["Detail"]

    def test_long_bids_are_fine_without_an_id(self, books):
        (answer,) = books.batch(self.item(UUID * 2, "A"))
        assert answer["Vendor"]

    def test_replay_may_fail_as_some_have_seen(self, books):
        books.batch(self.item("1", "A"), requestid="r")
        books.switch(batch_replay="6000")
        (answer,) = books.batch(self.item("1", "A"), requestid="r")
        assert "unexpected error" in answer["Fault"]["Error"][0]["Detail"]

    def test_batch_under_way_is_refused_whole(self, books):
        books.simulator.control.set_latency(per_call_ms=300)
        body = {"BatchItemRequest": [self.item("1", "A")]}
        with ThreadPoolExecutor(2) as pool:
            answers = list(pool.map(lambda _: books.call("POST", "batch", body, requestid="x"), range(2)))
        assert sorted(answer.status_code for answer in answers) == [200, 400]
