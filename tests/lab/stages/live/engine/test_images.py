import re

import pytest

from lab.errors import StageError
from lab.stages.live.engine import ensure_images, image_tag, images_missing, remove_old_images
from lab.stages.live.engine import images as module
from lab.stages.live.engine.debian import BASE_IMAGE
from lab.stages.live.engine.images import images


@pytest.fixture
def folder(tmp_path, monkeypatch):
    for role, text in (
        ("engine", "ARG BASE_IMAGE=x\nFROM ${BASE_IMAGE}\n"),
        ("gateway", "ARG BASE=y\nFROM ${BASE}\n"),
        ("handset", "ARG BASE_IMAGE=x\nFROM ${BASE_IMAGE}\n"),
    ):
        (tmp_path / role / "image").mkdir(parents=True)
        (tmp_path / role / "image/Dockerfile").write_text(text)
    monkeypatch.setattr(module, "_LIVE", tmp_path)
    monkeypatch.setattr(images, "__defaults__", (tmp_path,))
    return tmp_path


@pytest.fixture
def builder(docker, engine, monkeypatch):
    """An engine that builds by writing down; ``said`` is what a build prints, by role."""
    built, said = [], {}

    def build(*, tag, buildargs, **rest):
        assert rest["forcerm"]
        assert rest["labels"]["droidrange"] == "image"
        role = rest["labels"]["droidrange.role"]
        parts = said.get(role, [{"stream": "Step 1/1 : FROM x\n"}, {"stream": " ---> 1\n"}])
        built.append((tag, buildargs))
        if not any("error" in part for part in parts):
            docker.images |= {tag}
        yield from parts

    def tagged(_self, repository, tag):
        docker.images.add(f"{repository}:{tag}")

    docker.images.add(BASE_IMAGE)
    monkeypatch.setattr(engine.client.api, "build", build)
    monkeypatch.setattr("docker.models.images.Image.tag", tagged)
    return built, said


def test_a_folder_with_a_dockerfile_is_an_image_and_the_base_comes_first(folder):
    base, gateway, handset = images(folder)
    assert [base.role, gateway.role, handset.role] == ["base", "gateway", "handset"]
    assert gateway.arguments == {"BASE": base.tag}
    assert handset.arguments == base.arguments == {"BASE_IMAGE": BASE_IMAGE}
    assert re.fullmatch(r"droidrange/gateway:[0-9a-f]{12}", gateway.tag)


def test_another_base_makes_other_images_of_those_that_stand_on_it(folder):
    _, gateway, handset = images(folder)
    (folder / "engine/image/Dockerfile").write_text("ARG BASE_IMAGE=x\nFROM ${BASE_IMAGE}\nRUN true\n")
    _, later, same = images(folder)
    assert later.tag != gateway.tag
    assert same.tag == handset.tag


def test_the_images_of_this_version_are_read():
    roles = [image.role for image in images()]
    assert roles[0] == "base"
    assert image_tag("base") == images()[0].tag
    with pytest.raises(LookupError, match="no image 'gatway'; there are base"):
        image_tag("gatway")


def test_what_is_missing_is_built_once_the_base_first(folder, engine, builder, docker):
    built, _ = builder
    said = []
    assert images_missing(engine) == ["base", "gateway", "handset"]
    ensure_images(engine, said.append)
    assert [tag for tag, _ in built] == [image.tag for image in images(folder)]
    assert "gateway: Step 1/1 : FROM x" in said
    assert "droidrange/gateway:latest" in docker.images
    assert images_missing(engine) == []
    docker.calls.clear()
    ensure_images(engine, said.append)
    assert len(built) == 3
    assert all(call.startswith("GET /images/") for call in docker.calls)


def test_only_the_roles_asked_for_and_the_base(folder, engine, builder):
    ensure_images(engine, lambda _line: None, roles=["handset"])
    assert images_missing(engine) == ["gateway"]


def test_a_failed_build_tells_its_step_what_it_said_and_where_all_is_kept(folder, engine, builder, state):
    _, said = builder
    said["gateway"] = [
        {"stream": "Step 1/2 : FROM x\n"},
        {"stream": "Step 2/2 : RUN install everything\n"},
        {"stream": "E: Unable to locate package everything\n"},
        {"errorDetail": {"code": 100}, "error": "The command returned a non-zero code: 100"},
    ]
    with pytest.raises(StageError) as caught:
        ensure_images(engine, lambda _line: None)
    text = str(caught.value)
    assert "image gateway: the build failed at 'Step 2/2 : RUN install everything'" in text
    assert "Unable to locate package everything" in text
    log = state.labs.parent / "builds/gateway.log"
    assert str(log) in text
    assert "Step 1/2" in log.read_text()
    assert images_missing(engine) == ["gateway", "handset"]


def test_an_engine_that_dies_while_it_builds_is_told(folder, engine, builder, monkeypatch):
    from urllib3.exceptions import ProtocolError

    def build(**_rest):
        yield {"stream": "Step 1/1 : FROM x\n"}
        raise ProtocolError("Connection broken")

    monkeypatch.setattr(engine.client.api, "build", build)
    with pytest.raises(StageError, match="Connection broken"):
        ensure_images(engine, lambda _line: None)


def test_old_images_go_those_in_use_current_or_foreign_stay(folder, engine, docker, monkeypatch):
    import requests
    from docker.errors import APIError

    current = [image.tag for image in images(folder)]
    found = ["droidrange/base:000000000000", "droidrange/base:111111111111", "somebody/else:1", *current]
    removed, pruned = [], []

    def remove(tag):
        if tag.endswith("1"):
            answer = requests.Response()
            answer.status_code = 409
            raise APIError("in use", response=answer)
        removed.append(tag)

    monkeypatch.setattr(engine.client.api, "images", lambda **_: [{"RepoTags": found}, {"RepoTags": None}])
    monkeypatch.setattr(engine.client.api, "remove_image", remove)
    monkeypatch.setattr(engine.client.api, "prune_images", lambda **asked: pruned.append(asked["filters"]))
    assert remove_old_images(engine) == ["droidrange/base:000000000000"] == removed
    assert pruned == [{"dangling": True, "label": "droidrange=image"}]
