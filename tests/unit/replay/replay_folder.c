/* A tool of the tests: replay the migrations of a folder, and tell what came of it.
 *
 *     replay-folder [-b BINDIR] [-c CACHE] FOLDER */
#include "base/clock.h"
#include "history/history.h"
#include "replay/replay.h"

#include <stdio.h>
#include <unistd.h>

static int
fail(const Err *err)
{
    fprintf(stderr, "%s\n%s:%d\n%s\n%s\n", err->primary, err->at.path, err->at.line, err->detail,
            err->hint);
    return 1;
}

int
main(int argc, char **argv)
{
    ARENA_LOCAL(a);
    ReplayOptions options = {0};
    for (int c; (c = getopt(argc, argv, "b:c:")) != -1;) {
        if (c == 'b')
            options.bindir = optarg;
        if (c == 'c')
            options.cache_dir = optarg;
    }
    if (optind != argc - 1)
        return 2;
    Err err;
    History h;
    Replay r;
    int64_t began = clock_ms();
    if (!history_open(a, argv[optind], argv[optind], NULL, &h, &err))
        return fail(&err);
    ReplayScript *scripts = arena_array(a, ReplayScript, h.files.n + 1);
    for (size_t i = 0; i < h.files.n; i++)
        scripts[i] = (ReplayScript){h.files.v[i].name, h.files.v[i].path, h.files.v[i].text};
    if (!replay_scripts(a, scripts, h.files.n, &options, &r, &err))
        return fail(&err);
    printf("%zu of %zu run on %d%s, %u objects, %lld ms\n", r.scripts_run, h.files.n, r.version_num,
           r.is_cached ? " (cached)" : "", r.catalog->count, (long long)(clock_ms() - began));
    vec_each (const ReplayStub, s, &r.stubs)
        printf("stub: %s %s\n", replay_stub_name(s->kind), s->name);
    return 0;
}
