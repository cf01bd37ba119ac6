"""§5 and §6 by size: text and binary from nothing to 16 MiB, in one frame, in fragments, in small writes, and in long talks."""

import dataclasses
import functools

_KIB, _MIB = 1 << 10, 1 << 20


@dataclasses.dataclass(frozen=True)
class Echo:
    """A row: a message that comes back whole, `times` over."""

    section: str
    claim: str
    is_text: bool
    size: int
    fragment: int | None = None
    chop: int | None = None
    times: int = 1

    @functools.cached_property
    def payload(self):
        # Of every length of character, so that few fragments end where a character does.
        unit = "κόσμε €𐍈 ".encode() if self.is_text else bytes(range(256))
        whole = unit * (self.size // len(unit))
        return whole + b"." * (self.size - len(whole))


def _named(size):
    for unit, name in [(_MIB, "MiB"), (_KIB, "KiB")]:
        if size >= unit:
            return f"{size // unit} {name}"
    return f"{size} bytes"


_KINDS = [("text", True), ("binary", False)]

CASES = [
    *(Echo("6.2", f"{name} of {_named(size)} in one frame", is_text, size)
      for name, is_text in _KINDS
      for size in [0, 64, 256, _KIB, 4 * _KIB, 16 * _KIB, 64 * _KIB, 256 * _KIB, _MIB, 4 * _MIB, 16 * _MIB]),
    *(Echo("5.4", f"{name} of {_named(size)} in fragments of {_named(fragment)}", is_text, size, fragment=fragment)
      for name, is_text in _KINDS
      for size, fragment in [
          (_MIB, 64), (_MIB, 256), (_MIB, _KIB), (_MIB, 4 * _KIB), (_MIB, 16 * _KIB), (_MIB, 64 * _KIB), (_MIB, 256 * _KIB),
          (4 * _MIB, 64), (4 * _MIB, _MIB)]),
    *(Echo("5.2", f"{name} of {_named(size)} in writes of {_named(chop)}", is_text, size, chop=chop)
      for name, is_text in _KINDS
      for size, chop in [
          (4 * _KIB, 16), (256 * _KIB, 64), (256 * _KIB, 128), (256 * _KIB, 256), (256 * _KIB, 512), (256 * _KIB, _KIB),
          (256 * _KIB, 2 * _KIB)]),
    *(Echo("6.1", f"{name} of {_named(size)} a hundred times", is_text, size, times=100)
      for name, is_text in _KINDS for size in [0, 16, 64, 256, _KIB, 4 * _KIB]),
]
