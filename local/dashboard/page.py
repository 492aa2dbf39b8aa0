"""The page as one HTML file: template, styles and the bundled script, and in a file the document itself.

The script is bundled by esbuild into `.local/dashboard/`, anew whenever a source of it has changed. The page's policy
allows this script and these styles by their digests, and no network at all in a file (else its own server alone).
"""

import base64
import gzip
import hashlib
import html
import subprocess
from collections.abc import Iterable
from pathlib import Path

from local.dashboard.document import Document
from local.dashboard.errors import BuildError
from local.paths import REPOSITORY, STATE

WEB = Path(__file__).resolve().parent / "web"
BUNDLES = STATE / "dashboard"
_NODE = REPOSITORY / ".venv" / "bin" / "node"
_NODE_MODULES = REPOSITORY / "node_modules"
_ESBUILD = _NODE_MODULES / "esbuild" / "bin" / "esbuild"
# The oldest browsers with DecompressionStream, popovers and nested arrays of all kinds that the page uses.
_BROWSERS = "chrome117,firefox125,safari17"


def file_page(document: Document, bundles: Path = BUNDLES) -> str:
    """The whole page with its document, to be opened from disk.

    Raises:
        BuildError: the script could not be bundled.
    """
    packed = {"document": document.to_json()}
    packed |= {f"answers-{name}": part for name, part in document.parts_json().items()}
    data = "\n".join(
        f'<script type="application/octet-stream" id="{html.escape(name)}">{_pack(part)}</script>'
        for name, part in packed.items()
    )
    return _page(document.title, data, "", bundles)


def served_page(title: str, bundles: Path = BUNDLES) -> str:
    """The page without a document: it asks the server that sent it."""
    return _page(title, "", " connect-src 'self';", bundles)


def write_page(document: Document, path: Path, bundles: Path = BUNDLES) -> None:
    """Write the page in one step, so that a reader never finds half of it.

    The file is for its owner alone to read: it holds report texts.
    """
    content = file_page(document, bundles)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    partial.unlink(missing_ok=True)
    partial.touch(mode=0o600)
    partial.write_text(content, encoding="utf-8")
    partial.rename(path)


def bundle(bundles: Path = BUNDLES) -> str:
    """The page's script in one piece, built if there is none of the present sources.

    Raises:
        BuildError: esbuild or a library is missing, or the sources cannot be bundled.
    """
    target = bundles / f"page-{_fingerprint()}.js"
    if not target.is_file():
        _build(target)
    script = target.read_text(encoding="utf-8")
    if "</script" in script.lower() or "<!--" in script:
        raise BuildError(f"{target} has text that would end the script in a page")
    return script


def _page(title: str, data: str, connect: str, bundles: Path) -> str:
    script = bundle(bundles)
    styles = (WEB / "styles.css").read_text(encoding="utf-8")
    policy = (
        f"default-src 'none'; script-src {_digest(script)}; style-src {_digest(styles)}; img-src data:;{connect} "
        "base-uri 'none'; form-action 'none'"
    )
    page = (WEB / "page.html").read_text(encoding="utf-8")
    # The script last, and each value once: what was put in is not looked into again.
    parts = {"{policy}": policy, "{title}": html.escape(title), "{styles}": styles, "{data}": data, "{script}": script}
    filled = []
    for name, value in parts.items():
        before, found, page = page.partition(name)
        if not found:
            raise BuildError(f"{WEB / 'page.html'} has no place {name}")
        filled += [before, value]
    return "".join([*filled, page])


def _pack(content: str) -> str:
    return base64.b64encode(gzip.compress(content.encode("ascii"), compresslevel=6, mtime=0)).decode("ascii")


def _digest(content: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(content.encode('utf-8')).digest()).decode('ascii')}'"


def _build(target: Path) -> None:
    for needed in (_NODE, _ESBUILD, _NODE_MODULES / "echarts", _NODE_MODULES / "@tanstack" / "virtual-core"):
        if not needed.exists():
            raise BuildError(f"{needed} is missing: `make set-up` installs it")
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_suffix(f".{hashlib.sha256(str(target).encode()).hexdigest()[:8]}.partial")
    command = [str(_NODE), str(_ESBUILD), str(WEB / "src" / "main.js"), "--bundle", "--minify", "--format=iife"]
    options = [f"--target={_BROWSERS}", "--charset=ascii", "--log-level=warning", f"--outfile={partial}"]
    built = subprocess.run([*command, *options], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    if built.returncode != 0:
        raise BuildError(f"the page's script could not be bundled:\n{built.stderr.strip()}")
    for old in target.parent.glob("page-*.js"):
        old.unlink(missing_ok=True)
    partial.rename(target)


def _fingerprint() -> str:
    digest = hashlib.sha256(_BROWSERS.encode())
    for source in _sources():
        digest.update(str(source.relative_to(REPOSITORY)).encode())
        digest.update(source.read_bytes())
    return digest.hexdigest()[:16]


def _sources() -> Iterable[Path]:
    yield REPOSITORY / "package-lock.json"
    yield from sorted((WEB / "src").rglob("*.js"))
