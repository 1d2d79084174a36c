"""The words in the language of Krita's settings, which it puts into LANGUAGE."""

from tests.hosts.krita.pieces import BEFORE


def test_docker_and_what_it_says(own_krita, krita_daemon):
    host = own_krita(IMPASTO_HOME=str(krita_daemon.home), LANGUAGE="de")
    label, said = host.run(
        BEFORE
        + """
def main():
    yield from until(lambda: docker.isVisible())
    docker.stylise()
    return [docker._stylise.text(), docker.words.text()]
"""
    )
    host.picture("krita-docker-german")
    assert label == "Stilisieren"
    assert said.startswith("Es wurde kein Stil gewählt.")
