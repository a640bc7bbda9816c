#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""resize_make.py - makes resize.h: what Pillow decodes and resizes, for tests/test_files.c and tests/test_data.c

usage: resize_make.py > resize.h    (needs Pillow and NumPy; made with Pillow 9.4, libjpeg-turbo 2.1.5)
"""
import io

import numpy as np
from PIL import Image


def picture(w, h):
    """The formula of pattern() in tests/files_helpers.h."""
    y, x, c = np.meshgrid(np.arange(h), np.arange(w), np.arange(3), indexing='ij')
    return ((x * 7 + y * 13 + c * 29 + x * y % 31 * 5 + (x // 3 + y // 5) % 2 * 90) & 255).astype(np.uint8)


def fnv(a):
    h = 0xcbf29ce484222325
    for b in np.ascontiguousarray(a).tobytes():
        h = (h ^ b) * 0x100000001b3 & 0xffffffffffffffff
    return f'0x{h:016x}u'


def encode(image, **how):
    out = io.BytesIO()
    image.save(out, **how)
    return out.getvalue()


def files():
    rgb = Image.fromarray(picture(21, 13))
    ink = Image.fromarray(np.dstack([picture(9, 7), 255 - picture(9, 7)[:, :, 0]]), 'CMYK')
    rgba = Image.fromarray(np.dstack([picture(9, 7), picture(9, 7)[:, :, 2]]), 'RGBA')
    yield 'jpeg_420', encode(rgb, format='jpeg', quality=75)
    yield 'jpeg_444', encode(rgb, format='jpeg', quality=90, subsampling=0)
    yield 'jpeg_progressive', encode(rgb, format='jpeg', quality=60, progressive=True)
    yield 'jpeg_grey', encode(rgb.convert('L'), format='jpeg', quality=75)
    yield 'jpeg_cmyk', encode(ink, format='jpeg', quality=75)
    yield 'png_rgb', encode(Image.fromarray(picture(9, 7)), format='png')
    yield 'png_rgba', encode(rgba, format='png')
    yield 'png_grey', encode(Image.fromarray(picture(9, 7)).convert('L'), format='png')
    yield 'png_palette', encode(Image.fromarray(picture(9, 7)).quantize(6), format='png', bits=4)
    yield 'png_one_bit', encode(Image.fromarray(picture(9, 7)).convert('1'), format='png')


def main():
    print('/* SPDX-License-Identifier: Apache-2.0 */')
    print('/* resize.h - what Pillow decodes and resizes; written by resize_make.py */')
    print('/* clang-format off */')
    print('#include <stdint.h>\n')
    listed = []
    for name, data in files():
        a = np.asarray(Image.open(io.BytesIO(data)).convert('RGB'))
        listed.append(f'    {{ "{name}", {name}, sizeof({name}), {a.shape[1]}, {a.shape[0]}, {fnv(a)} }},')
        print(f'static const uint8_t {name}[] = {{')
        for i in range(0, len(data), 19):
            print('    ' + ' '.join(f'{b:3d},' for b in data[i:i + 19]))
        print('};\n')
    print('/* A file, and FNV-1a (64 bits) of the RGB bytes in it. */')
    print('static const struct {\n    const char    *name;\n    const uint8_t *bytes;\n    size_t         size;')
    print('    int            width, height;\n    uint64_t       hash;\n} golden_pictures[] = {')
    print('\n'.join(listed) + '\n};\n')
    print('/* The pattern of w x h resized to to_w x to_h, and the hash of its bytes. */')
    print('static const struct {\n    int      w, h, to_w, to_h;\n    uint64_t hash;\n} golden_resizes[] = {')
    for w, h, to_w, to_h in ((1, 1, 1, 1), (1, 1, 5, 3), (7, 5, 1, 1), (2, 2, 3, 3), (16, 16, 16, 16), (16, 9, 16, 4),
                             (9, 16, 4, 16), (40, 30, 20, 15), (40, 30, 80, 60), (33, 17, 19, 41), (341, 256, 299, 224),
                             (256, 384, 224, 336), (500, 3, 7, 3), (1021, 2, 1, 9), (31, 57, 96, 96), (120, 90, 13, 11)):
        image = Image.fromarray(picture(w, h)).resize((to_w, to_h), Image.BILINEAR)
        print(f'    {{ {w}, {h}, {to_w}, {to_h}, {fnv(np.asarray(image))} }},')
    print('};')


main()
