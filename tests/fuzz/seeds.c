/* SPDX-License-Identifier: Apache-2.0 */
/* seeds.c - writes tests/fuzz/corpus: the small valid files that fuzzing starts from; fuzz_seeds FOLDER */
#include <sys/stat.h>
#include <unistd.h>

#include "files_helpers.h"
#include "onnx_make.h"

#if PARE_HAVE_TURBOJPEG
#include <turbojpeg.h>
#endif

static void save(const char *format, const char *name, const void *data, size_t n)
{
    char path[64];

    mkdir(format, 0777);
    snprintf(path, sizeof(path), "%s/%s", format, name);
    FILE *const f = fopen(path, "wb");
    if (!f || (n && fwrite(data, n, 1, f) != 1) || fclose(f))
        abort();
}

static void save_text(const char *format, const char *name, const char *text)
{
    save(format, name, text, strlen(text));
}

static void save_npy(const char *name, const char *descr, const char *shape, size_t n)
{
    bytes b = { 0 };
    char  dict[118];

    snprintf(dict, sizeof(dict), "{'descr': '%s', 'fortran_order': False, 'shape': %s, }", descr, shape);
    memset(dict + strlen(dict), ' ', sizeof(dict) - strlen(dict));
    dict[sizeof(dict) - 1] = '\n';
    put(&b, "\x93NUMPY\x01\x00\x76\x00", 10);
    put(&b, dict, sizeof(dict));
    for (size_t i = 0; i < n; i++)
        put(&b, &(uint8_t){ (uint8_t)(i * 37) }, 1);
    save("npy", name, b.at, b.n);
    free(b.at);
}

static void save_arrays(void)
{
    save_npy("f32", "<f4", "(2, 3)", 24);
    save_npy("s64", "<i8", "(3,)", 24);
    save_npy("bool", "|b1", "(2, 1, 2)", 4);
    save_npy("f64", "<f8", "(1, 2)", 16);
    save_npy("u16", "<u2", "(3, 1)", 6);
    save_npy("f16", "<f2", "()", 2);
}

static void save_tar(const char *name, const bytes *tar)
{
    bytes whole = { 0 };

    put(&whole, tar->at, tar->n);
    put_zeros(&whole, 1024);
    save("tar", name, whole.at, whole.n);
    free(whole.at);
    free(tar->at);
}

static void save_archives(void)
{
    bytes png = make_png(2, 2, 0), plain = { 0 }, extended = { 0 };

    put_tar(&plain, "1/", '5', "", 0);
    put_tar(&plain, "1/a.png", '0', png.at, png.n);
    put_tar(&plain, "./2/b.png", '0', png.at, png.n);
    save_tar("plain", &plain);
    put_tar(&extended, "pax", 'x', "26 path=0/long/name/c.png\n11 size=82\n", 37);
    put_tar(&extended, "c", '0', png.at, png.n);
    put_tar(&extended, "././@LongLink", 'L', "7/some/long/name/d.png", 23);
    put_tar(&extended, "d", '0', png.at, png.n);
    save_tar("extended", &extended);
    free(png.at);
}

static void save_jpeg(const char *name, int w, int h, int sampling, int flags)
{
#if PARE_HAVE_TURBOJPEG
    uint8_t        rgb[16 * 16 * 3], *out = NULL;
    unsigned long  size = 0;
    tjhandle const tj = tjInitCompress();

    pattern(w, h, 0, rgb);
    if (!tj || tjCompress2(tj, rgb, w, 0, h, TJPF_RGB, &out, &size, sampling, 50, flags))
        abort();
    save("image", name, out, size);
    tjFree(out);
    tjDestroy(tj);
#else
    (void)name, (void)w, (void)h, (void)sampling, (void)flags;
#endif
}

static void save_png(const char *name, const uint8_t *head, const char *extra, const char *zip, size_t n)
{
    bytes b = { 0 };

    put(&b, "\x89PNG\r\n\x1a\n", 8);
    put_png_chunk(&b, "IHDR", head, 13);
    if (extra)
        put_png_chunk(&b, extra, (const uint8_t *)"\x10\x20\x30\xff\x80\x00", 6);
    put_png_chunk(&b, "IDAT", (const uint8_t *)zip, n);
    put_png_chunk(&b, "IEND", NULL, 0);
    save("image", name, b.at, b.n);
    free(b.at);
}

static void save_pictures(void)
{
    static const uint8_t gray[13] = { 0, 0, 0, 2, 0, 0, 0, 1, 8, 0, 0, 0, 0 };
    static const uint8_t deep[13] = { 0, 0, 0, 1, 0, 0, 0, 1, 16, 2, 0, 0, 0 };
    static const uint8_t palette[13] = { 0, 0, 0, 2, 0, 0, 0, 1, 8, 3, 0, 0, 0 };
    bytes                png = make_png(3, 2, 0);

    save("image", "rgb.png", png.at, png.n);
    free(png.at);
    save_png("gray.png", gray, NULL, "\x78\x01\x01\x03\x00\xfc\xff\x00\x07\x09\x00\x1a\x00\x11", 14);
    save_png("deep.png", deep, NULL, "\x78\x01\x01\x07\x00\xf8\xff\x00\x01\x02\x03\x04\x05\x06\x00\x3f\x00\x16", 18);
    save_png("palette.png", palette, "PLTE", "\x78\x01\x01\x03\x00\xfc\xff\x00\x00\x01\x00\x04\x00\x02", 14);
    save_jpeg("420.jpg", 16, 16, 2 /* TJSAMP_420 */, 0);
    save_jpeg("gray.jpg", 5, 3, 3 /* TJSAMP_GRAY */, 0);
    save_jpeg("progressive.jpg", 9, 4, 0 /* TJSAMP_444 */, 16384 /* TJFLAG_PROGRESSIVE */);
}

static void save_tables(void)
{
    save_text("dataset_tsv", "boxes",
              "file\tclass\tcx\tcy\tw\th\tsplit\na.jpg\t0\t0.5\t0.5\t0.25\t1e-01\ttest\n"
              "a.jpg\t3\t0.5\t0.5\t0.1\t0.1\ttest\n./b/c.jpg\t-1\t\t\t\t\ttrain\n");
    save_text("dataset_tsv", "classes", "file\tclass\r\nx.png\t999999999\r\ny.png\t-1\r\n\r\n");
    save_text("dataset_tsv", "numbers", "class\n1\n0\n22");
}

static void save_graphs(void)
{
    save_text("graph_text", "conv",
              "graph g\nmeta \"pare.dynamic\" \"1\"\n%x = input f32[N,3,8,8]\n@w = const f32[4,3,3,3] seed=7\n"
              "@k = const s8[2,1] {-128,127} q([0.1,0.25], [3,-4], axis=0) # scales\n"
              "%1 = conv(%x, @w, ?) strides=[2,2] clamp_lo=0\n%2 : u8 q(0.5, 3) = quantize_linear(%1, @s, @z)\n"
              "@s = const f32[] {0.5}\n@z = const u8[] {3}\n%3 : channels_last halo=[1,1,0,0] = max_pool(%1) "
              "kernel_shape=[2,2]\n%\"odd \\\"name\\\" \\x01\" = relu(%3)\nreturn %2, %\"odd \\\"name\\\" \\x01\"\n");
    save_text("graph_text", "if",
              "%x = input f32[2,?]\n%c = input bool[]\n%y = if(%c) then_branch={\n    @one = const f32[1] {1}\n"
              "    %a = add(%x, @one)\n    return %a\n} else_branch={\n    %b = if(%c) then_branch={ return %x }"
              " else_branch={ return %x }\n    return %b\n}\n%d, ? = dropout(%y)\nreturn %y, %d");
    save_text(
        "graph_text", "constants",
        "@a = const f16[3] {65504,nan,-inf} @b = const s64[2] {-9223372036854775808,0x7f}\n"
        "@m = const u4[2,2] {0,15,1,2} q([1,2], [3,4], offset=[0.5,-1], axis=1, block=2)\n"
        "@e = const f32[0,3] {} @d = const f64[1] {1e-308} %r = reshape(@a, @b) %k = cast(@m) to=s32 return %r, %k");
}

static void save_recipes(void)
{
    save_text("recipe", "all",
              "{\"mode\": \"static\", \"observer\": \"min_max\", \"samples\": 77, \"weight_bits\": 7, \"per_tensor\": "
              "true,\n \"target\": \"onnxruntime\", \"layers\": [{\"name\": \"fc1\", \"weight_bits\": 3}]}");
    save_text("recipe", "layers",
              "{\"layers\": [{\"op\": \"matmul\", \"mode\": \"dynamic\", \"per_tensor\": false},\n"
              " {\"glob\": \"*f?2*\", \"mode\": \"float\"}, {\"glob\": \"*\", \"observer\": \"histogram\"}]}");
    save_text("recipe", "empty", "{}");
}

static void save_ranges(void)
{
    save_text("calibration", "fits",
              "=histogram -1.5 2.25 x\nhistogram 0 1e30 conv1\nhistogram -3.40282347e+38 3.40282347e+38 conv2\n"
              "histogram 0 0 pool\n");
    save_text("calibration", "other",
              "pare-calibration 1 0123456789abcdef fedcba9876543210 200\nhistogram -1.5 2.25 x\n");
}

static void save_model(const char *name, int opset, const char *inputs, const char *nodes, const char *outputs)
{
    pare_wire w;

    make_model(&w, opset, inputs, nodes, outputs);
    save("onnx", name, w.bytes, (size_t)w.size);
    pare_wire_free(&w);
}

static void save_models(void)
{
    save_model("conv", 11, "x f32[N,1,6,6]",
               "c = Conv(x, f32[2,1,3,3], f32[2]) pads=[1,1,1,1]; r = Clip(c, f32:0, f32:6);"
               "p = MaxPool(r) kernel_shape=[2,2]; m = ReduceMax(p) axes=[2,3] keepdims=0; y = Softmax(m)",
               "y");
    save_model("quantized", 13, "x f32[2,3]",
               "q = QuantizeLinear(x, f32:0.1, u8:3); d = DequantizeLinear(q, f32:0.1, u8:3);"
               "m = MatMul(d, f32[3,2]); s = Slice(m, s64{0}, s64{1}, s64{0}); y = Cast(s) to=1",
               "y");
}

static void save_safetensors(const char *name, const char *header, size_t data)
{
    const uint64_t n = strlen(header);
    bytes          b = { 0 };

    for (int i = 0; i < 8; i++)
        put(&b, &(uint8_t){ (uint8_t)(n >> (8 * i)) }, 1);
    put(&b, header, n);
    put_zeros(&b, data);
    save("safetensors", name, b.at, b.n);
    free(b.at);
}

static void save_weights(void)
{
    save_safetensors("two",
                     "{\"__metadata__\":{\"format\":\"pt\"},\"a.w\":{\"dtype\":\"F32\",\"shape\":[2,1],"
                     "\"data_offsets\":[0,8]},\"a.b\":{\"dtype\":\"BF16\",\"shape\":[3],\"data_offsets\":[8,14]}} ",
                     14);
    save_safetensors("unaligned",
                     "{\"a\":{\"dtype\":\"I8\",\"shape\":[],\"data_offsets\":[0,1]},\"b\":{\"dtype\":\"I64\","
                     "\"shape\":[1],\"data_offsets\":[1,9]},\"c\":{\"dtype\":\"BOOL\",\"shape\":[0,2],"
                     "\"data_offsets\":[9,9]}}",
                     9);
    save_safetensors("none", "{}", 0);
    save_text("safetensors", "index",
              "{\"metadata\": {\"total_size\": 8}, \"weight_map\": {\"a\": \"b.safetensors\"}}");
}

static void save_vocabularies(void)
{
    static const char uncased[] =
        "[PAD]\n[UNK]\n[CLS]\n[SEP]\nun\n##aff\n##able\nthe\n\0sentence\tlabel\nthe unaffable\t1\n"
        "Caf\xc3\xa9, the caf\xc3\xa9!\t0\n";
    static const char cased[] = "[PAD]\n[UNK]\n[CLS]\n[SEP]\nA\na\n##b\n\0id\ttext\r\n1\tnana nanana banana\r\n"
                                "2\t\xff\xfe \xe4\xb8\xad\xe6\x96\x87\r\n\r\n";

    save("tokenizer", "uncased", uncased, sizeof(uncased) - 1);
    save("tokenizer", "cased", cased, sizeof(cased) - 1);
}

int main(int argc, char **argv)
{
    if (argc != 2 || chdir(argv[1]))
        return 2;
    save_arrays();
    save_archives();
    save_pictures();
    save_tables();
    save_graphs();
    save_recipes();
    save_ranges();
    save_models();
    save_weights();
    save_vocabularies();
    return 0;
}
