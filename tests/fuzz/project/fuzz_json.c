/* What is JSON for jansson is JSON for the reader; a script that was set is read back, and setting
 * it again changes nothing. */
#include <jansson.h>
#include <stdlib.h>

#include "project/project.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool
is_json(Str text)
{
    if (str_starts(text, STR("\xef\xbb\xbf")))
        text = str_slice(text, 3, text.n);
    json_t *root = json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, NULL);
    json_decref(root);
    return root && !memchr(text.p, 0, text.n); /* for jansson a NUL ends the text */
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ARENA_LOCAL(a);
    const ProjectJson *root;
    Err err = {0};
    Str text = {(const char *)data, size}, after, twice;
    bool read = project_json_parse(a, "package.json", text, &root, &err);
    if (!read && (err.code != ERR_CONFIG || err.at.line < 1 || err.at.column < 1))
        abort();
    /* The other way round does not hold: jansson refuses lone surrogates and huge numbers. */
    if (!read && !strstr(err.primary, "levels") && is_json(text))
        abort();
    if (!read || !project_json_set(a, &(Source){"package.json", text}, "scripts", "db:status",
                                   "aramid", &after, &err))
        return 0;
    if (!project_json_parse(a, "package.json", after, &root, &err) ||
        !project_json_set(a, &(Source){"package.json", after}, "scripts", "db:status", "aramid",
                          &twice, &err) ||
        !str_eq(after, twice))
        abort();
    const char *line = project_json_text(a, project_json_get(root, "scripts"), "db:status");
    if (!line || strcmp(line, "aramid") != 0)
        abort();
    return 0;
}
