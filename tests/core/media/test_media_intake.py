import io
import os
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from pictures import animation, chunk, drawing, jpeg_header, png, saved, webp_header
from PIL import Image

from core.media import BlobDamaged, ImageRefused, blob_key, hamming, intake, open_image, read_file
from core.settings import MediaSettings

SETTINGS = MediaSettings()
FORMATS = ["PNG", "JPEG", "WEBP"]
BEST = {"PNG": {}, "JPEG": {"quality": 95, "subsampling": 0}, "WEBP": {"lossless": True}}
Turn = Image.Transpose
LAID = {
    2: Turn.FLIP_LEFT_RIGHT,
    3: Turn.ROTATE_180,
    4: Turn.FLIP_TOP_BOTTOM,
    5: Turn.TRANSPOSE,
    6: Turn.ROTATE_90,
    7: Turn.TRANSVERSE,
    8: Turn.ROTATE_270,
}
"How a camera lays an upright picture down, by the orientation it notes."


def taken_in(data, **options):
    media, stored = intake(data, SETTINGS, **options)
    return media, open_image(stored)


def pixels(image):
    return np.asarray(image).tolist()


def is_white(image):
    return bool((np.asarray(image) == 255).all())


class TestWhatIsTakenIn:
    @pytest.mark.parametrize("format", FORMATS)
    def test_each_format_becomes_a_png_of_its_pixels(self, format):
        media, image = taken_in(saved(drawing(), format, **BEST[format]), source="import", session="s")
        assert (media.width, media.height) == image.size == (64, 48)
        assert (image.mode, media.source, media.session) == ("RGB", "import", "s")
        difference = np.abs(np.asarray(image, int) - np.asarray(drawing(), int))
        assert np.median(difference) <= 6

    def test_the_id_is_that_of_the_pixels_whatever_they_came_in(self):
        ids = {
            intake(data, SETTINGS)[0].id
            for data in (
                saved(drawing()),
                saved(drawing(), compress_level=0),
                saved(drawing(), "WEBP", lossless=True),
                saved(drawing().convert("RGBA")),
                saved(drawing().quantize(16)),
            )
        }
        assert len(ids) == 1
        assert intake(saved(drawing(48, 64)), SETTINGS)[0].id not in ids

    def test_the_blob_is_named_by_its_own_content(self):
        media, stored = intake(saved(drawing()), SETTINGS)
        assert media.blob == blob_key(stored, "png")
        assert media.blob.startswith(media.blob[3:5] + "/")

    @pytest.mark.parametrize("name", ["a.png", "A.PNG", "shot", "Shot at 10.15.32", "upload.tmp", "x.bin", ".png"])
    def test_a_name_that_does_not_say_otherwise_is_fine(self, name):
        assert intake(saved(drawing()), SETTINGS, name=name)

    def test_a_larger_picture_is_scaled_down_in_proportion(self):
        media, image = taken_in(saved(drawing(5120, 640)))
        assert (media.width, media.height) == image.size == (2560, 320)

    def test_a_jpeg_of_several_pictures_gives_its_first(self):
        data = saved(drawing(), "MPO", save_all=True, append_images=[drawing(32, 32)], quality=95)
        assert taken_in(data, name="phone.jpg")[1].size == (64, 48)


class TestHowItIsNormalised:
    @pytest.mark.parametrize("orientation", range(1, 9))
    @pytest.mark.parametrize("format", FORMATS)
    def test_a_picture_is_turned_upright(self, format, orientation):
        lying = drawing() if orientation == 1 else drawing().transpose(LAID[orientation])
        exif = Image.Exif()
        exif[0x0112] = orientation
        image = taken_in(saved(lying, format, exif=exif, **BEST[format]))[1]
        assert image.size == drawing().size
        assert np.median(np.abs(np.asarray(image, int) - np.asarray(drawing(), int))) <= 6

    @pytest.mark.filterwarnings("ignore:Corrupt EXIF")
    def test_broken_exif_does_not_matter(self):
        data = saved(drawing(), "JPEG", exif=b"Exif\x00\x00MM\x00\x2a\xff\xff\xff\xff")
        assert taken_in(data)[1].size == (64, 48)

    def test_nothing_but_the_pixels_is_kept(self):
        exif = Image.Exif()
        exif[0x010E] = "a secret"
        data = saved(drawing(), "JPEG", exif=exif, comment=b"a secret", icc_profile=b"a secret")
        _, stored = intake(data, SETTINGS)
        assert b"secret" in data
        assert b"secret" not in stored
        assert set(Image.open(io.BytesIO(stored)).info) == set()

    @pytest.mark.parametrize("mode", ["RGBA", "LA"])
    @pytest.mark.parametrize("format", ["PNG", "WEBP"])
    def test_what_is_transparent_becomes_white(self, mode, format):
        clear = Image.new(mode, (16, 16), 0)
        assert is_white(taken_in(saved(clear, format, lossless=True))[1])

    def test_what_is_half_transparent_is_mixed_with_white(self):
        half = Image.new("RGBA", (16, 16), (255, 0, 0, 128))
        assert taken_in(saved(half))[1].getpixel((0, 0)) == (255, 127, 127)

    @pytest.mark.parametrize("mode", ["P", "L", "RGB"])
    def test_a_colour_that_stands_for_transparent_becomes_white(self, mode):
        blank = Image.new("RGB", (16, 16), (51, 51, 51)).convert(mode)
        clear = blank.getpixel((0, 0))
        assert is_white(taken_in(saved(blank, transparency=clear))[1])

    @pytest.mark.parametrize("mode", ["1", "L", "P", "RGB"])
    def test_palettes_greys_and_bits_keep_their_look(self, mode):
        image = drawing().convert("L").convert(mode) if mode == "1" else drawing().convert(mode)
        assert pixels(taken_in(saved(image))[1]) == pixels(image.convert("RGB"))

    def test_16_bit_grey_keeps_its_shades(self):
        ramp = (np.arange(16 * 16, dtype=np.uint16).reshape(16, 16) * 257).astype(np.uint16)
        image = taken_in(saved(Image.fromarray(ramp)))[1]
        assert np.asarray(image)[..., 0].tolist() == (ramp >> 8).tolist()

    def test_16_bit_grey_may_have_a_shade_that_stands_for_transparent(self):
        rows = (b"\x00" + b"\x12\x34" * 8) * 7 + b"\x00" + b"\x12\x35" * 8
        data = png(8, 8, depth=16, colour=0, rows=rows, chunks=chunk(b"tRNS", b"\x12\x34"))
        image = np.asarray(taken_in(data)[1])
        assert (image[:7] == 255).all()
        assert (image[7] == 0x12).all()

    def test_16_bit_colour_keeps_its_colours(self):
        rows = (b"\x00" + b"\xff\x00\x80\x00\x01\xff" * 8) * 8
        assert taken_in(png(8, 8, depth=16, colour=2, rows=rows))[1].getpixel((3, 3)) == (255, 128, 1)

    def test_cmyk_paper_is_white_and_ink_is_dark(self):
        for ink, expected in ((0, 255), (255, 0)):
            image = Image.new("CMYK", (16, 16), (0, 0, 0, ink))
            assert np.allclose(np.asarray(taken_in(saved(image, "JPEG"))[1]), expected, atol=2)


REFUSED = {
    "nothing": (b"", "is empty"),
    "a byte": (b"x", "is a text file; only PNG, JPEG and WebP"),
    "a zero": (b"\0", "is no picture"),
    "text": (("Grüße " * 200).encode(), "is a text file"),
    "a GIF": (saved(drawing(), "GIF"), "is a GIF"),
    "a BMP": (saved(drawing(), "BMP"), "is a BMP"),
    "a TIFF": (saved(drawing(), "TIFF"), "is a TIFF"),
    "an AVIF": (b"\x00\x00\x00\x1cftypavif" + bytes(100), "is a HEIC, AVIF or video"),
    "an SVG": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "is an SVG"),
    "an animated GIF": (animation("GIF"), "is a GIF"),
    "an animated PNG": (animation("PNG"), "is animated"),
    "an animated WebP": (animation("WEBP"), "is animated"),
    "a PNG without an end": (saved(drawing())[:-12], "is cut short"),
    "half a PNG": (saved(drawing())[:120], "is cut short"),
    "half a JPEG": (saved(drawing(), "JPEG")[:-200], "is cut short"),
    "a JPEG without an end": (saved(drawing(), "JPEG")[:-2], "is cut short"),
    "a JPEG that declares what it does not hold": (jpeg_header(64, 64), "is damaged or cut short"),
    "half a WebP": (saved(drawing(), "WEBP")[:-20], "is cut short"),
    "only the start of a PNG": (b"\x89PNG\r\n\x1a\n", "is cut short"),
    "only the start of a JPEG": (b"\xff\xd8", "is cut short"),
    "only the start of a WebP": (b"RIFF\x04\x00\x00\x00WEBP", "is damaged"),
    "a PNG with too few rows": (png(64, 64, rows=b"\x00" * 100), "is damaged or cut short"),
    "a PNG without its palette": (png(8, 8, colour=3, rows=bytes(9) * 8), "is damaged or cut short"),
    "a huge PNG": (png(30_000, 30_000), "30000 x 30000 pixels, but at most 40,000,000"),
    "a huge WebP": (webp_header(16_000, 16_000), "16000 x 16000 pixels, but at most"),
    "a huge JPEG": (jpeg_header(60_000, 60_000), "60000 x 60000 pixels, but at most"),
    "a tiny PNG": (saved(drawing(7, 100)), "is too small: 7 x 100 pixels"),
    "a PNG of no size": (png(0, 100), "is too small"),
    "a very long line": (saved(Image.new("RGB", (20_000, 10))), "is too narrow: 2560 x 1 "),
    "a damaged PNG": (saved(drawing()).replace(b"IHDR\x00\x00\x00\x40", b"IHDR\x00\x00\x00\x41"), "checksum"),
}


class TestWhatIsRefused:
    @pytest.mark.parametrize("data, reason", REFUSED.values(), ids=REFUSED.keys())
    def test_with_its_reason(self, data, reason):
        with pytest.raises(ImageRefused, match=reason) as refused:
            intake(data, SETTINGS, name="shot")
        assert str(refused.value) == f"shot: {refused.value.reason}"
        assert len(str(refused.value).splitlines()) == 1

    @pytest.mark.parametrize("format, name", [("JPEG", "a.png"), ("PNG", "a.JPG"), ("WEBP", "a.gif"), ("PNG", "a.txt")])
    def test_what_is_named_as_something_else(self, format, name):
        with pytest.raises(ImageRefused, match=f"{name}: is wrongly named: .*, but {format} inside"):
            intake(saved(drawing(), format), SETTINGS, name=name)

    def test_what_has_more_bytes_than_allowed(self):
        with pytest.raises(ImageRefused, match="more than 1,000 bytes"):
            intake(bytes(1001), MediaSettings(max_bytes=1000))

    @pytest.mark.parametrize("kind", ["a huge PNG", "a huge WebP", "a huge JPEG"])
    def test_from_the_header_before_any_memory_is_taken(self, kind):
        tracemalloc.start()
        with pytest.raises(ImageRefused):
            intake(REFUSED[kind][0], SETTINGS)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 1_000_000


class TestReadingAFile:
    def test_gives_its_bytes(self, tmp_path):
        (tmp_path / "a.png").write_bytes(b"abc")
        assert read_file(tmp_path / "a.png", SETTINGS) == b"abc"

    def test_stops_at_the_bound(self, tmp_path):
        path = tmp_path / "sparse.png"
        with path.open("wb") as file:
            file.truncate(2**40)
        with pytest.raises(ImageRefused, match=r"sparse\.png: is too large: more than 20,000,000 bytes"):
            read_file(path, SETTINGS)

    def test_takes_only_files(self, tmp_path):
        os.mkfifo(tmp_path / "pipe")
        for path, reason in ((tmp_path, "is not a file"), (tmp_path / "pipe", "is not a file")):
            with pytest.raises(ImageRefused, match=reason):
                read_file(path, SETTINGS)
        for path, reason in ((tmp_path / "gone", "there is no such file"), (Path("a\0b"), "cannot be read")):
            with pytest.raises(ImageRefused, match=reason):
                read_file(path, SETTINGS)


class TestPerceptualHash:
    def test_is_64_bits_in_hex(self):
        media, _ = taken_in(saved(drawing()))
        assert len(media.phash) == 16
        assert hamming(media.phash, media.phash) == 0

    def test_is_near_for_the_same_picture_in_another_size_and_far_for_another_one(self):
        busy = Image.fromarray(np.random.default_rng(0).integers(0, 255, (12, 16, 3), np.uint8))
        small, large = (taken_in(saved(busy.resize(size, 2)))[0].phash for size in ((320, 240), (640, 480)))
        other = taken_in(saved(drawing(320, 240)))[0].phash
        assert hamming(small, large) <= 4 < 16 <= hamming(small, other)

    @given(a=st.integers(0, 2**64 - 1), b=st.integers(0, 2**64 - 1))
    def test_distances_are_those_of_bits(self, a, b):
        distance = hamming(f"{a:016x}", f"{b:016x}")
        assert (
            distance
            == hamming(f"{b:016x}", f"{a:016x}")
            == sum(x != y for x, y in zip(f"{a:064b}", f"{b:064b}", strict=True))
        )


MODES = {"L": (), "LA": (2,), "RGB": (3,), "RGBA": (4,)}


@st.composite
def picture_files(draw):
    mode = draw(st.sampled_from(sorted(MODES)))
    size = draw(st.tuples(st.integers(8, 40), st.integers(8, 40)))
    image = Image.fromarray(draw(arrays.arrays(np.uint8, (*size, *MODES[mode]), fill=st.integers(0, 255))), mode)
    format = draw(st.sampled_from(FORMATS))
    exif = Image.Exif()
    exif[0x0112] = draw(st.integers(0, 9))
    return saved(image.convert("RGB") if format == "JPEG" else image, format, exif=exif)


properties = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])


@properties
@given(data=picture_files(), max_side=st.integers(8, 48))
def test_what_was_stored_is_taken_in_as_itself(data, max_side):
    bounds = MediaSettings(max_side=max_side)
    try:
        media, stored = intake(data, bounds)
    except ImageRefused as refused:
        assert "too narrow" in refused.reason
        return
    again, stored_again = intake(stored, bounds)
    assert max(media.width, media.height) <= max_side
    assert open_image(stored).size == (media.width, media.height)
    assert stored_again == stored
    assert again.model_dump(exclude={"at"}) == media.model_dump(exclude={"at"})


STARTS = [b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"RIFF\xff\x00\x00\x00WEBPVP8 ", b"RIFF\x16\x00\x00\x00WEBPVP8X"]


@properties
@given(start=st.sampled_from(STARTS), rest=st.binary(max_size=300), name=st.none() | st.text(max_size=10))
@example(b"\xff\xd8\xff", b"\xc0\x00\x00", None)
def test_garbage_is_refused(start, rest, name):
    with pytest.raises(ImageRefused):
        intake(start + rest, SETTINGS, name=name)


ORIGINALS = [saved(drawing(16, 16), format) for format in FORMATS]


@settings(properties, max_examples=200)
@given(original=st.sampled_from(ORIGINALS), data=st.data())
def test_a_damaged_picture_is_refused_or_taken_in_and_nothing_else_happens(original, data):
    damaged = bytearray(original)
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    try:
        media, stored = intake(bytes(damaged), SETTINGS)
    except ImageRefused:
        return
    assert open_image(stored).size == (media.width, media.height)


@properties
@given(original=st.sampled_from(ORIGINALS), data=st.data())
def test_a_picture_cut_anywhere_is_refused(original, data):
    with pytest.raises(ImageRefused):
        intake(original[: data.draw(st.integers(0, len(original) - 1))], SETTINGS)


def test_a_blob_that_is_no_picture_is_damaged():
    with pytest.raises(BlobDamaged):
        open_image(b"text")
