"""PCAPdroid's CSV: apps, commas without quotes, local times."""

import pytest

from detector.contract import EvidenceError

HEAD = "IPProto,SrcIP,SrcPort,DstIp,DstPort,UID,App,PackageName,Proto,Status,Info,BytesSent,BytesRcvd,PktsSent,PktsRcvd,FirstSeen,LastSeen"
ROW = "6,10.215.173.1,40000,9.9.9.9,443,10123,My App,com.example.app,HTTPS,Closed,a.example,300,1160,5,4,2026-03-02T01:00:00.500+01:00,2026-03-02T01:00:02.500+01:00"


def csv(*rows, head=HEAD):
    return "\n".join([head, *rows]) + "\n"


def test_a_connection_is_a_flow_of_an_app(imported):
    (row,) = imported(a=csv(ROW)).tables["flows"].to_pylist()
    assert (row["device"], row["uid"], row["package"], row["name"]) == (
        "10.215.173.1",
        10123,
        "com.example.app",
        "a.example",
    )
    assert (row["start"], row["end"] - row["start"]) == (1_772_409_600_500_000, 2_000_000)
    assert (row["bytes_up"], row["bytes_down"], row["app_proto"], row["proto"]) == (100, 1000, "tls", "tcp")


def test_commas_in_app_and_info_are_put_together_again(imported):
    odd = ROW.replace("My App", "Maps, Go, now").replace("a.example", "GET /a,b")
    rows = imported(a=csv(odd, ROW)).tables["flows"].to_pylist()
    assert [(row["package"], row["name"], row["bytes_up"]) for row in rows] == [
        ("com.example.app", None, 100),
        ("com.example.app", "a.example", 100),
    ]


def test_a_package_of_one_word_is_found_where_info_has_no_comma(imported):
    odd = ROW.replace("My App,com.example.app", "Maps, Go,netd")
    assert imported(a=csv(odd)).tables["flows"]["package"].to_pylist() == ["netd"]


def test_an_unknown_uid_is_null(imported):
    (row,) = imported(a=csv(ROW.replace(",10123,My App,com.example.app,", ",-1,Unknown,,"))).tables["flows"].to_pylist()
    assert (row["uid"], row["package"]) == (None, None)


def test_older_files_have_no_package(imported):
    (row,) = (
        imported(a=csv(ROW.replace("com.example.app,", ""), head=HEAD.replace("PackageName,", "")))
        .tables["flows"]
        .to_pylist()
    )
    assert (row["uid"], row["package"]) == (10123, None)


def test_faults_name_their_line(imported):
    with pytest.raises(EvidenceError, match=r"line 3: found 3 columns, expected 17"):
        imported(a=csv(ROW, "6,10.0.0.1,5"))
    with pytest.raises(EvidenceError, match=r"line 3: found '02.03.2026 1:00', expected a time such as"):
        imported(a=csv(ROW, ROW.replace("2026-03-02T01:00:00.500+01:00", "02.03.2026 1:00")))
    assert imported(partial=True).tables["flows"].num_rows == 1


def test_a_dns_connection_is_a_look_up_of_its_info(imported):
    asked = ROW.replace("HTTPS", "DNS").replace("6,10", "17,10", 1).replace(",443,", ",53,")
    (row,) = imported(a=csv(asked, ROW)).tables["dns"].to_pylist()
    assert (row["flow"], row["qname"], row["qtype"], row["answers"], row["answered"]) == (
        0,
        "a.example",
        None,
        [],
        None,
    )
