/* SPDX-License-Identifier: Apache-2.0 */
/* test_recipe.c - recipes: what they mean, and what is said about those that mean nothing */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pare/io.h>
#include <pare/list.h>
#include <pare/recipe.h>

#include "base/alloc.h"
#include "quant/qconfig.h"

#define DEMO PARE_TEST_DIR "/../examples/demo.onnx"

static pare_graph *model;

static int load_model(void **state)
{
    (void)state;
    return pare_graph_load(DEMO, &model) != PARE_OK;
}

static int drop_model(void **state)
{
    (void)state;
    pare_graph_destroy(model);
    return 0;
}

static void need_jansson(void)
{
    pare_recipe *r;

    assert_int_equal(pare_recipe_create(model, &r), PARE_OK);
    const bool there = pare_recipe_parse(r, "{}", "text") == PARE_OK;

    if (!there)
        assert_non_null(strstr(pare_error(), "built without jansson"));
    pare_recipe_destroy(r);
    if (!there)
        skip();
}

/* What the recipe says about the demo model's convolutions (all named .../Conv) and its last node, /7/Gemm. */
static void test_meaning(void **state)
{
    static const char text[] =
        "{\"mode\": \"static\", \"observer\": \"min_max\", \"samples\": 77, \"weight_bits\": 7,\n"
        " \"per_tensor\": true, \"target\": \"onnxruntime\",\n"
        " \"layers\": [{\"name\": \"/7/Gemm\", \"weight_bits\": 3},\n"
        "  {\"glob\": \"/4/*\", \"mode\": \"float\", \"weight_bits\": 5},\n"
        "  {\"op\": \"gemm\", \"mode\": \"dynamic\", \"weight_bits\": 6, \"per_tensor\": false}]}";
    pare_quantize_options o = { .samples = 1, .target = "onnx" };
    pare_recipe          *r;

    (void)state;
    need_jansson();
    assert_int_equal(pare_recipe_create(model, &r), PARE_OK);
    if (pare_recipe_parse(r, text, "text") != PARE_OK)
        fail_msg("%s", pare_error());
    pare_recipe_apply(r, &o);
    assert_int_equal(o.samples, 77);
    assert_string_equal(o.target, "onnxruntime");

    pare_qconfig c = pare_mapping_find(&o.mapping, "conv", "/0/0.0/Conv");
    assert_int_equal(c.mode, PARE_QMODE_STATIC);
    assert_string_equal(c.observer, "min_max");
    assert_int_equal(c.weight_bits, 7);
    assert_int_equal(c.granularity, 2);

    c = pare_mapping_find(&o.mapping, "gemm", "/7/Gemm"); /* name over op over all */
    assert_int_equal(c.mode, PARE_QMODE_DYNAMIC);
    assert_int_equal(c.weight_bits, 3);
    assert_int_equal(c.granularity, 1);

    c = pare_mapping_find(&o.mapping, "conv", "/4/4.0/4.0.0/Conv");
    assert_int_equal(c.mode, PARE_QMODE_FLOAT);
    assert_int_equal(c.weight_bits, 5);

    /* What is added later wins over the file: options over recipe. */
    assert_int_equal(pare_recipe_add(r, &(pare_rule){ .kind = PARE_RULE_GLOBAL, .config = { .weight_bits = 4 } }),
                     PARE_OK);
    assert_int_equal(pare_recipe_force(r, "/7/*", &(pare_qconfig){ .mode = PARE_QMODE_FLOAT }), PARE_OK);
    pare_recipe_apply(r, &o);
    assert_int_equal(pare_mapping_find(&o.mapping, "conv", "/0/0.0/Conv").weight_bits, 4);
    assert_int_equal(pare_mapping_find(&o.mapping, "gemm", "/7/Gemm").mode, PARE_QMODE_FLOAT);
    assert_int_equal(pare_mapping_find(&o.mapping, "gemm", "/7/Gemm").weight_bits, 3);
    pare_recipe_destroy(r);
}

static void test_an_empty_recipe_says_nothing(void **state)
{
    pare_quantize_options o = { .samples = 5, .target = "onnx" };
    pare_recipe          *r;

    (void)state;
    need_jansson();
    assert_int_equal(pare_recipe_create(model, &r), PARE_OK);
    assert_int_equal(pare_recipe_parse(r, " {\"layers\": []} ", "text"), PARE_OK);
    pare_recipe_apply(r, &o);
    assert_int_equal(o.samples, 5);
    assert_string_equal(o.target, "onnx");
    const pare_qconfig c = pare_mapping_find(&o.mapping, "conv", "/0/0.0/Conv");
    assert_int_equal(c.mode, PARE_QMODE_AUTO);
    assert_string_equal(c.observer, "histogram");
    assert_int_equal(c.weight_bits, 8);
    pare_recipe_destroy(r);
}

static void test_errors(void **state)
{
    static const struct {
        const char *text, *parts;
    } cases[] = {
        { "", "r.json:1" },
        { "{", "r.json:1" },
        { "[]", "r.json|object" },
        { "null", "r.json" },
        { "{\"mode\": \"static\", \"mode\": \"static\"}", "r.json" },
        { "{\"mod\": \"static\"}", "key 'mod'|'mode'" },
        { "{\"layer\": []}", "key 'layer'|'layers'" },
        { "{\"frobnicate\": 1}", "frobnicate|there are: mode" },
        { "{\"mode\": \"statik\"}", "mode 'statik'|'static'" },
        { "{\"mode\": 3}", "\"mode\" must be a text" },
        { "{\"observer\": \"histogran\"}", "'histogran'|'histogram'" },
        { "{\"weight_bits\": 1}", "weight_bits|2 to 8" },
        { "{\"weight_bits\": 9}", "weight_bits|2 to 8" },
        { "{\"weight_bits\": 8.0}", "weight_bits" },
        { "{\"weight_bits\": \"8\"}", "weight_bits" },
        { "{\"samples\": 0}", "samples" },
        { "{\"samples\": 99999999999}", "samples" },
        { "{\"per_tensor\": 1}", "per_tensor|true or false" },
        { "{\"target\": \"onnxruntim\"}", "'onnxruntim'|'onnxruntime'" },
        { "{\"layers\": {}}", "layers|list" },
        { "{\"layers\": [1]}", "layer 1|object" },
        { "{\"layers\": [{\"mode\": \"float\"}]}", "layer 1|name" },
        { "{\"layers\": [{\"op\": \"conv\"}, {\"op\": \"conv\", \"glob\": \"*\"}]}", "layer 2|not two" },
        { "{\"layers\": [{\"op\": \"cov\"}]}", "'cov'|'conv'" },
        { "{\"layers\": [{\"op\": \"lstm\"}]}", "'lstm'|demo.onnx" },
        { "{\"layers\": [{\"name\": \"/7/Gem\"}]}", "'/7/Gem'|'/7/Gemm'" },
        { "{\"layers\": [{\"glob\": \"/77/*\"}]}", "'/77/*'|info --nodes" },
        { "{\"layers\": [{\"glob\": \"\"}]}", "''" },
        { "{\"layers\": [{\"name\": \"/7/Gemm\", \"observer\": \"none\"}]}", "layer 1|observer 'none'" },
        { "{\"layers\": [{\"name\": \"/7/Gemm\", \"samples\": 3}]}", "layer 1|key 'samples'" },
    };

    (void)state;
    need_jansson();
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        pare_recipe *r;
        char         list[256];

        assert_int_equal(pare_recipe_create(model, &r), PARE_OK);
        if (pare_recipe_parse(r, cases[i].text, "r.json") == PARE_OK)
            fail_msg("%s was taken", cases[i].text);
        snprintf(list, sizeof(list), "%s", cases[i].parts);
        for (char *part = strtok(list, "|"); part; part = strtok(NULL, "|"))
            if (!strstr(pare_error(), part))
                fail_msg("%s: '%s' is not in: %s", cases[i].text, part, pare_error());
        pare_recipe_destroy(r);
    }
}

static void test_hostile_text(void **state)
{
    static char       deep[100001];
    static const char text[] = "{\"mode\":\"static\",\"layers\":[{\"op\":\"conv\",\"weight_bits\":4}]}";
    pare_recipe      *r;

    (void)state;
    need_jansson();
    memset(deep, '[', sizeof(deep) - 1);
    assert_int_equal(pare_recipe_create(model, &r), PARE_OK);
    assert_int_equal(pare_recipe_parse(r, deep, "deep"), PARE_ERR_DATA);
    for (size_t n = 0; n < sizeof(text) - 1; n++) { /* cut at every byte */
        char cut[sizeof(text)] = "";

        memcpy(cut, text, n);
        assert_int_equal(pare_recipe_parse(r, cut, "cut"), PARE_ERR_DATA);
    }
    assert_int_equal(pare_recipe_parse(r, text, "whole"), PARE_OK);
    assert_int_equal(pare_recipe_read(r, "/nowhere/r.json"), PARE_ERR_IO);
    assert_non_null(strstr(pare_error(), "/nowhere/r.json"));
    pare_recipe_destroy(r);
}

static void test_short_memory(void **state)
{
    static const char text[] =
        "{\"layers\":[{\"op\":\"conv\",\"weight_bits\":4},{\"glob\":\"/7*\",\"mode\":\"float\"}]}";
    const long live = pare_alloc_live();
    bool       done = false;

    (void)state;
    need_jansson();
    for (long n = 1; !done; n++) {
        pare_recipe *r = NULL;

        assert_true(n < 1000);
        pare_alloc_fail_after(n);
        pare_status status = pare_recipe_create(model, &r);
        if (status == PARE_OK)
            status = pare_recipe_parse(r, text, "text");
        if (status == PARE_OK)
            status = pare_recipe_force(r, "*", &(pare_qconfig){ .weight_bits = 8 });
        pare_alloc_fail_after(0);
        assert_true(status == PARE_OK || status == PARE_ERR_MEMORY);
        done = status == PARE_OK;
        pare_recipe_destroy(r);
        assert_int_equal(pare_alloc_live(), live);
    }
}

/* The lists are complete, in print, and end. */
static void test_lists(void **state)
{
    const char     *list;
    pare_list_entry entry;
    int             lists = 0;

    (void)state;
    for (; (list = pare_list_name(lists)); lists++) {
        int n = 0;

        for (; pare_list_at(list, n, &entry); n++) {
            assert_true(entry.name[0] != '\0');
            if (!entry.about[0] || strchr(entry.about, '\n'))
                fail_msg("%s: %s: '%s'", list, entry.name, entry.about);
        }
        assert_true(n >= 3);
    }
    assert_int_equal(lists, 10);
    assert_false(pare_list_at("nothing", 0, &entry));
    assert_null(pare_list_name(-1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_meaning),      cmocka_unit_test(test_an_empty_recipe_says_nothing),
        cmocka_unit_test(test_errors),       cmocka_unit_test(test_hostile_text),
        cmocka_unit_test(test_short_memory), cmocka_unit_test(test_lists),
    };

    return cmocka_run_group_tests(tests, load_model, drop_model);
}
