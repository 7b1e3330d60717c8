"""What is asked of a detector about an incident: who, where and when, and nothing that only truth knows."""

from lab.running.answers import of_incident


def test_a_question_knows_names_and_addresses_and_no_label(make):
    incident = make.incident()
    truth = make.truth(incident, further={"10.88.0.99": "phone-01", "10.88.0.98": "phone-02"})
    question = of_incident(incident, truth)
    assert question.incident == incident.incident
    assert question.about.devices == ("phone-01", "10.88.0.11", "10.88.0.99")
    assert question.about.peers == incident.peers
    assert (question.about.first, question.about.last) == (incident.start, incident.end)
    assert not {incident.behaviour, incident.technique} & {str(one) for one in vars(question.about).values()}


def test_relaying_is_asked_about_without_peers(make):
    incident = make.incident(analytic="AN1702")
    assert of_incident(incident, make.truth(incident)).about.peers == ()
