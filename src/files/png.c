/* SPDX-License-Identifier: Apache-2.0 */
/* png.c - PNG to RGB by libpng: no gamma, no background, as Pillow decodes */
#include "files/image.h"

#include "base/alloc.h"
#include "base/cursor.h"
#include "base/status.h"

#ifdef PARE_HAVE_PNG

#include <setjmp.h>
#include <string.h>

#include <png.h>

/* Everything that must survive libpng's longjmp lives here, not in locals. */
typedef struct reader {
    pare_cursor in;
    png_structp png;
    png_infop   info;
    png_bytepp  rows; /* [height] into image->rgb */
    pare_image *image;
    pare_status status;
} reader;

static void on_error(png_structp png, png_const_charp message)
{
    reader *const r = png_get_error_ptr(png);

    r->status = r->in.bad ? pare_fail(PARE_ERR_DATA, "PNG ends too early")
                          : pare_fail(PARE_ERR_DATA, "damaged PNG (%s)", message);
    png_longjmp(png, 1);
}

static void on_warning(png_structp png, png_const_charp message)
{
    (void)png;
    (void)message;
}

static png_voidp take(png_structp png, png_alloc_size_t size)
{
    (void)png;
    return pare_malloc(size);
}

static void give(png_structp png, png_voidp memory)
{
    (void)png;
    pare_free(memory);
}

static void read_bytes(png_structp png, png_bytep out, size_t n)
{
    reader *const  r = png_get_io_ptr(png);
    const uint8_t *from = pare_cursor_bytes(&r->in, n);

    if (!from)
        png_error(png, "file ends");
    memcpy(out, from, n);
}

/* Every colour type to 8-bit RGB; alpha and transparency are dropped, not blended. */
static void choose_format(reader *r)
{
    png_set_expand(r->png);
    png_set_strip_16(r->png);
    png_set_strip_alpha(r->png);
    png_set_gray_to_rgb(r->png);
    png_set_interlace_handling(r->png);
    png_read_update_info(r->png, r->info);
}

static void read_picture(reader *r)
{
    if (setjmp(png_jmpbuf(r->png)))
        return;

    png_set_read_fn(r->png, r, read_bytes);
    png_set_user_limits(r->png, PARE_IMAGE_MAX_SIDE, PARE_IMAGE_MAX_SIDE);
    png_set_chunk_malloc_max(r->png, 1 << 23); /* text and profile chunks may unpack to a lot */
    png_read_info(r->png, r->info);

    const int64_t width = png_get_image_width(r->png, r->info);
    const int64_t height = png_get_image_height(r->png, r->info);

    r->status = pare_image_alloc(width, height, r->image);
    if (r->status != PARE_OK)
        return;
    choose_format(r);
    if (png_get_rowbytes(r->png, r->info) != (size_t)width * 3)
        png_error(r->png, "unknown pixel format");

    r->rows = pare_malloc((size_t)height * sizeof(*r->rows));
    if (!r->rows) {
        r->status = pare_fail_memory((size_t)height * sizeof(*r->rows), "the rows of a picture");
        return;
    }
    for (int64_t y = 0; y < height; y++)
        r->rows[y] = r->image->rgb + y * width * 3;
    png_read_image(r->png, r->rows);
    png_read_end(r->png, NULL);
}

pare_status pare_png_read(const uint8_t *bytes, size_t size, pare_image *out)
{
    reader r = { .in = pare_cursor_of(bytes, size), .image = out };

    *out = (pare_image){ 0 };
    r.png = png_create_read_struct_2(PNG_LIBPNG_VER_STRING, &r, on_error, on_warning, NULL, take, give);
    if (r.png)
        r.info = png_create_info_struct(r.png);
    if (r.info)
        read_picture(&r);
    else
        r.status = pare_fail(PARE_ERR_MEMORY, "libpng does not start");

    png_destroy_read_struct(&r.png, &r.info, NULL);
    pare_free(r.rows);
    if (r.status != PARE_OK)
        pare_image_free(out);
    return r.status;
}

#else

pare_status pare_png_read(const uint8_t *bytes, size_t size, pare_image *out)
{
    (void)bytes;
    (void)size;
    *out = (pare_image){ 0 };
    return pare_fail(PARE_ERR_UNSUPPORTED, "PNG picture, but pare was built without libpng");
}

#endif
