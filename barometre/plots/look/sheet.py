"""The sheet a chart is drawn on: its size, its title above, its legend, its source below.

On a figure of ours everything has its own band: title, subtitle, legend, chart, source and licence;
the height follows from what is written, and nothing is laid over the data. On axes that the caller
gives, the same texts are put above and below the axes.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, Literal, ParamSpec, TypedDict, TypeVar

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backend_bases import RendererBase
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from barometre.base.errors import BarometreError, UnknownNameError
from barometre.base.french import Lang
from barometre.plots.look.colours import INK, SOFT
from barometre.plots.look.naming import Labels, clean, names_of, spaced
from barometre.plots.look.rows import WORDS

Size = Literal["a4", "slide"]


class Signed(TypedDict, total=False):
    """What every chart may be told, beside its data: how it is signed, and where it is drawn.

    Attributes
    ----------
    title : str
        Title: what the chart shows, the finding. By default what is drawn, and the year.
    subtitle : str
        What is drawn, its unit and its year, by default from the cards.
    source, licence : str
        What the source and the licence lines say; the source is by default the producers' of the
        cards.
    note : str
        A sentence more, below the chart.
    labels : Series, mapping, DataFrame or Tables
        Names of the territories by code, which come before the bundled ones.
    lang : {"fr", "en"}, default "fr"
        Language.
    size : {"a4", "slide"}, default "a4"
        A column of an A4 page, 17 cm wide, or a slide of 16:9. What has many rows is cut in panels
        on a slide.
    ax : Axes
        Where to draw; a new figure by default.
    """

    title: str | None
    subtitle: str | None
    source: str | None
    licence: str | None
    note: str | None
    labels: Labels | None
    lang: Lang
    size: Size
    ax: Axes | None


# Inches, points: width, greatest height, plain text, least text.
_SIZES: dict[Size, tuple[float, float, float, float]] = {
    "a4": (6.7, 10.0, 9.0, 7.0),
    "slide": (13.33, 7.5, 14.0, 10.5),
}
_MARGIN = 8.0  # points around the sheet
_GAP = 5.0  # points between two bands
_BETWEEN = 14.0  # points between two panels
_STILL = 0.3  # points by which margins may still move
_ROOM = 120.0  # points kept for titles and notes before they are measured
_TIGHT = 1.2  # from one row to the next at the least, in sizes of its type
_MOST_ROWS, _MOST_PANELS = 600, 3  # that a chart may have
_ROWS_OF_A_SLIDE = 26  # beyond which rows are cut in panels
STYLE: dict[Any, Any] = {
    "text.hinting": "no_hinting",  # widths do not depend on the resolution
    "text.parse_math": False,  # a name may hold a dollar
    "font.family": ["DejaVu Sans", "sans-serif"],
    "axes.edgecolor": SOFT,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "text.color": INK,
    "axes.labelcolor": INK,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    "axes.axisbelow": True,
    "hatch.linewidth": 0.7,
    "hatch.color": "#c3c9d1",
}

Options = ParamSpec("Options")
Drawing = TypeVar("Drawing")


def house(chart: Callable[Options, Drawing]) -> Callable[Options, Drawing]:
    """Draw a chart in the style of the house, whatever the caller's settings of matplotlib."""

    @functools.wraps(chart)
    def drawing(*args: Options.args, **options: Options.kwargs) -> Drawing:
        with mpl.rc_context(STYLE):
            return chart(*args, **options)

    return drawing


class Sheet:
    """A figure being drawn.

    Parameters
    ----------
    signed : Signed
        What the caller of the chart asked for.
    rows : int
        Rows of the chart, that give its height; 0 when it has none.
    grid : tuple of int, optional
        Rows and columns of panels, when the chart has several.
    aspect : float
        Height of a chart without rows, over its width.
    pitch : float
        From one row to the next where there is room, in sizes of the plain text.
    landscape : bool
        An A4 page is taken in its length.
    around : float
        Points that titles, headings of columns and notes are expected to take.

    Attributes
    ----------
    axes : list of Axes
        The panels.
    lang : str
        Language.
    text, small : float
        Sizes of type, in points: of the rows, of the notes.

    Raises
    ------
    UnknownNameError
        An option that charts do not have.
    BarometreError
        More rows than can be read.
    """

    def __init__(
        self,
        signed: Signed,
        *,
        rows: int = 0,
        grid: tuple[int, int] | None = None,
        aspect: float = 0.55,
        pitch: float = 1.95,
        landscape: bool = False,
        around: float = _ROOM,
    ) -> None:
        for name in signed:
            if name not in Signed.__annotations__:
                raise UnknownNameError("option", name, Signed.__annotations__)
        if rows > _MOST_ROWS:
            raise BarometreError(
                f"graphique refusé : {rows} lignes, au plus {_MOST_ROWS} se lisent ; en choisir"
                " (territories=), ou dessiner une carte"
            )
        self.signed = signed
        self.lang: Lang = signed.get("lang") or "fr"
        size = signed.get("size") or "a4"
        if size not in _SIZES:
            raise UnknownNameError("option size=", str(size), _SIZES)
        self.width, self.highest, base, least = _SIZES[size]
        if landscape and size == "a4":
            self.width, self.highest = self.highest, self.width
        given = signed.get("ax")
        self.own = given is None
        slide = size == "slide" and self.own and not grid
        panels = min(max(1, -(-rows // _ROWS_OF_A_SLIDE)), _MOST_PANELS) if slide else 1
        self.grid = grid or (1, panels)
        lines = rows if grid else -(-rows // panels)  # of a panel
        least_of_all = _TIGHT * least * lines + around
        if self.own and grid is None and least_of_all > 72 * self.highest:
            self.highest = least_of_all / 72  # more rows than a page holds: a longer sheet
        room = (72 * self.highest - around) / self.grid[0]
        usual = pitch * base
        self.pitch = min(usual, room / max(lines, 1)) if rows else usual
        self.text = float(np.clip(0.6 * self.pitch, least, base)) if rows else base
        self.small, self.large = max(base - 1.5, least - 0.5), 1.3 * base
        self.lines = lines
        if given is not None:
            self.axes = [given]
            figure = given.get_figure(root=True)
            assert figure is not None
            self.figure: Figure = figure
        else:
            self.figure = plt.figure(figsize=(self.width, 4))
            self.axes = list(self.figure.subplots(*self.grid, squeeze=False).ravel())
        wide = 72 * self.width / self.grid[1]
        self.height = (lines + 0.6) * self.pitch if rows else aspect * wide
        self.height = min(self.height, room) if self.own else self.height
        if self.own:
            self.figure.set_figheight(self.grid[0] * self.height / 72 / 0.7)
        self._late: list[Callable[[], None]] = []
        self._margins = np.full((*self.grid, 4), -1.0)  # none is measured yet

    @property
    def renderer(self) -> RendererBase:
        """What measures texts."""
        return _measuring(self.figure.dpi)

    def names(self, codes: Any) -> list[str]:
        """Return the names of codes, as the caller labels them."""
        return names_of(codes, self.signed.get("labels"))

    def slices(self, number: int) -> list[tuple[Axes, slice]]:
        """Share rows between the panels, in their order."""
        return [
            (ax, slice(i * self.lines, min((i + 1) * self.lines, number)))
            for i, ax in enumerate(self.axes)
        ]

    def wide(self, text: str, size: float, *, bold: bool = False) -> float:
        """Return the width of a text, in points."""
        return _width(text, size, bold, self.figure.dpi)

    def folded(self, text: str, size: float, width: float, *, bold: bool = False) -> str:
        """Fold a text on a width in points, between words."""
        done = []
        for paragraph in clean_lines(spaced(text, self.lang)):
            line = ""
            for word in paragraph.split(" "):
                longer = f"{line} {word}" if line else word
                if line and self.wide(longer, size, bold=bold) > width:
                    done.append(line)
                    line = word
                else:
                    line = longer
            done.append(line)
        return "\n".join(done)

    def later(self, drawing: Callable[[], None]) -> None:
        """Keep for the end what needs to know where the axes are."""
        self._late.append(drawing)

    def finish(
        self,
        *,
        title: str,
        subtitle: str = "",
        source: str = "",
        notes: Sequence[str] = (),
        legend: Sequence[tuple[Artist, str]] = (),
    ) -> Axes:
        """Write what is around the chart, and settle its size.

        Parameters
        ----------
        title, subtitle, source : str
            What is written when the caller asked for nothing else.
        notes : sequence of str
            Sentences below the chart.
        legend : sequence of (artist, str)
            Entries of the legend.

        Returns
        -------
        Axes
            The first panel.
        """
        signed, words = self.signed, WORDS[self.lang]
        above = signed.get("title") or title
        if signed.get("title") and signed.get("subtitle") is None:
            subtitle = f"{title} ({subtitle})" if subtitle else title
        under = signed.get("subtitle") if signed.get("subtitle") is not None else subtitle
        note = [signed.get("note") or ""]
        said = signed.get("source") or source
        line = [words["source"] + said.rstrip(".") + "."] if said else []
        if licence := signed.get("licence"):
            line.append(words["licence"] + licence.rstrip(".") + ".")
        below = "\n".join(part for part in [*notes, *note, " ".join(line)] if part)
        if self.own:
            self._own(above, under or "", below, legend)
        else:
            self._given(above, under or "", below, legend)
        return self.axes[0]

    def alone(self, width: float, height: float) -> Axes:
        """Give the whole figure, of that size in inches, to the first panel: nothing is written."""
        if self.own:
            self.figure.set_size_inches(width, height)
            self.axes[0].set_position((0, 0, 1, 1))
        return self.axes[0]

    # ---- a figure of ours: bands from top to bottom ------------------------------------------

    def _own(
        self, title: str, subtitle: str, below: str, legend: Sequence[tuple[Artist, str]]
    ) -> None:
        width = 72 * self.width - 2 * _MARGIN
        name = self._title(self.folded(title, self.large, width, bold=True))
        head = [name, self._band(subtitle, self.text_of_head, width, color=SOFT)]
        foot = self._band(below, self.small, width, color=SOFT)
        key = self._legend(legend, width)
        tops = [self._high(text) for text in head]
        key_high = self._high(key)
        top = _MARGIN + sum(h + _GAP for h in tops if h) + (key_high + _GAP if key_high else 0)
        bottom = _MARGIN + (self._high(foot) + _GAP if foot else 0)
        self._settle(top, bottom, name)
        for drawing in self._late:
            drawing()
        if self._late:
            self._settle(top, bottom, name)
        high = 72 * self.figure.get_figheight()
        y = high - _MARGIN
        for text, tall in zip(head, tops, strict=True):
            if text is not None:
                text.set_position((_MARGIN / (72 * self.width), y / high))
                y -= tall + _GAP
        if key is not None:
            key.set_bbox_to_anchor((_MARGIN / (72 * self.width), y / high), self.figure.transFigure)
        if foot is not None:
            foot.set_position((_MARGIN / (72 * self.width), _MARGIN / high))
            foot.set_verticalalignment("bottom")

    @property
    def text_of_head(self) -> float:
        """Size of the subtitle, in points."""
        return self.small + 1.0

    def _title(self, text: str) -> Text:
        """Make the title of the first panel, placed on the figure rather than on the panel."""
        name = self.axes[0].set_title(
            text, loc="left", y=1.0, fontsize=self.large, fontweight="bold", color=INK, va="top"
        )
        name.set_transform(self.figure.transFigure)
        return name

    def _band(self, text: str, size: float, width: float, **style: Any) -> Text | None:
        if not text:
            return None
        folded = self.folded(text, size, width)
        return self.figure.text(0, 0, folded, fontsize=size, va="top", ha="left", **style)

    def _legend(self, entries: Sequence[tuple[Artist, str]], width: float) -> Legend | None:
        if not entries:
            return None
        handles, texts = zip(*entries, strict=True)
        texts = tuple(self.folded(text, self.small, 0.8 * width) for text in texts)
        for columns in range(len(entries), 0, -1):
            key = self.figure.legend(
                handles, texts, loc="upper left", ncols=columns, frameon=False,
                fontsize=self.small, borderaxespad=0, borderpad=0, handlelength=1.8,
                columnspacing=1.4, bbox_to_anchor=(0, 1),
            )  # fmt: skip
            if columns == 1 or self._extent(key).width <= width:
                return key
            key.remove()
        return None

    def _extent(self, artist: Artist) -> Bbox:
        scale = 72 / self.figure.dpi
        return Bbox(artist.get_window_extent(self.renderer).get_points() * scale)

    def _high(self, artist: Artist | None) -> float:
        return 0.0 if artist is None else float(self._extent(artist).height)

    def _settle(self, top: float, bottom: float, name: Text) -> None:
        """Place the panels, so that whatever is written around them stays on the sheet."""
        rows, columns = self.grid
        margins = self._margins.copy()
        wide = 72 * self.width - 2 * _MARGIN
        name.set_visible(False)  # it is not around the panel but at the top of the sheet
        for _ in range(3):
            before = margins.copy()
            for i, ax in enumerate(self.axes):
                margins[divmod(i, columns)] = self._around(ax)
            if np.abs(margins - before).max() < _STILL:
                break
            left, right = margins[:, :, 0].max(axis=0), margins[:, :, 1].max(axis=0)
            under, over = margins[:, :, 2].max(axis=1), margins[:, :, 3].max(axis=1)
            each = (wide - left.sum() - right.sum() - _BETWEEN * (columns - 1)) / columns
            each = max(each, 30.0)
            around = top + bottom + under.sum() + over.sum() + _BETWEEN * (rows - 1)
            tall = min(self.height, (72 * self.highest - around) / rows)
            high = around + rows * tall
            self.figure.set_size_inches(self.width, high / 72)
            y = high - top
            for row in range(rows):
                y -= over[row] + tall
                x = _MARGIN
                for column in range(columns):
                    x += left[column]
                    self.axes[row * columns + column].set_position(
                        (x / (72 * self.width), y / high, each / (72 * self.width), tall / high)
                    )
                    x += each + right[column] + _BETWEEN
                y -= under[row] + _BETWEEN
        self._margins = margins
        name.set_visible(True)

    def _around(self, ax: Axes) -> tuple[float, float, float, float]:
        """Measure what a panel writes outside its frame: left, right, below, above, in points."""
        tight, frame = ax.get_tightbbox(self.renderer), ax.get_window_extent(self.renderer)
        if tight is None:
            return 0.0, 0.0, 0.0, 0.0
        scale = 72 / self.figure.dpi
        sides = (frame.x0 - tight.x0, tight.x1 - frame.x1, frame.y0 - tight.y0, tight.y1 - frame.y1)
        left, right, below, above = (max(scale * side, 0.0) for side in sides)
        return left, right, below, above

    # ---- axes of the caller: the same texts, above and below them ----------------------------

    def _given(
        self, title: str, subtitle: str, below: str, legend: Sequence[tuple[Artist, str]]
    ) -> None:
        ax = self.axes[0]
        self.figure.draw_without_rendering()  # the layout moves the axes
        for drawing in self._late:
            drawing()
        _, _, under, over = self._around(ax)
        width = self._extent(ax).width
        up = over + 4.0
        if legend:
            handles, texts = zip(*legend, strict=True)
            key = ax.legend(
                handles, texts, loc="upper left", bbox_to_anchor=(0, 0), frameon=False,
                fontsize=self.small, borderaxespad=(under + 4.0) / self.small, borderpad=0,
                ncols=2 if len(texts) > 1 else 1, handlelength=1.8,
            )  # fmt: skip
            under += self._high(key) + _GAP
        if subtitle:
            artist = ax.annotate(
                self.folded(subtitle, self.small, max(width, 200.0)), (0, 1), xytext=(0, up),
                xycoords="axes fraction", textcoords="offset points", va="bottom", ha="left",
                fontsize=self.small, color=SOFT,
            )  # fmt: skip
            up += self._high(artist) + 3.0
        large = self.large - 0.5
        ax.set_title(
            self.folded(title, large, max(width, 200.0), bold=True), loc="left", y=1.0, pad=up,
            fontsize=large, fontweight="bold", color=INK,
        )  # fmt: skip
        if below:
            folded = self.folded(below, self.small - 0.5, max(width, 200.0))
            ax.annotate(
                folded, (0, 0), xytext=(0, -under - 4.0), xycoords="axes fraction",
                textcoords="offset points", va="top", fontsize=self.small - 0.5, color=SOFT,
            )  # fmt: skip


@functools.lru_cache(maxsize=4)
def _measuring(dpi: float) -> RendererBase:
    """Make what measures texts: the same for all figures, so that matplotlib measures each once.

    That of a figure is a new one whenever its size changes, and measures all its texts again.
    """
    renderer: RendererBase = RendererAgg(1, 1, dpi)  # type: ignore[no-untyped-call]  # matplotlib's
    return renderer


@functools.lru_cache(maxsize=65_536)
def _width(text: str, size: float, bold: bool, dpi: float) -> float:
    """Measure a text in the type of the house, in points."""
    properties = mpl.font_manager.FontProperties(size=size, weight="bold" if bold else "normal")
    width, _, _ = _measuring(dpi).get_text_width_height_descent(text, properties, ismath=False)
    return float(width) * 72 / dpi


def clean_lines(text: str) -> list[str]:
    """Cut a text in its lines, each without what is not seen."""
    return [clean(line) if line.strip() else "" for line in text.split("\n")]
