/* A tool of the tests: the catalog of a database as JSON, or its fingerprint.
 *
 *     dump-catalog [-f] [-o] [-p] [-u] [-s SCHEMA]... [-x EXCEPT]... URL
 *       -f  fingerprint; -o without owners, privileges, column order and versions
 *       -p  as it is stored
 *       -u  seconds and kilobytes that reading took, on standard error */
#include "base/clock.h"
#include "base/hash.h"
#include "introspect/introspect.h"
#include "catalog/catalog_int.h"
#include "base/mem_int.h"

#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

static int
fail(const Err *err)
{
    fprintf(stderr, "%s\n%s\n%s\n", err->primary, err->detail, err->hint);
    return 1;
}

static void
usage(const Arena *a, int64_t began)
{
    struct rusage r;
    getrusage(RUSAGE_SELF, &r);
    fprintf(stderr, "%lld ms, peak %ld kB, arena %zu kB\n", (long long)(clock_ms() - began),
            r.ru_maxrss, arena_bytes(a) / 1024);
}

int
main(int argc, char **argv)
{
    ARENA_LOCAL(a);
    bool fingerprint = false, loose = false, tell = false, stored = false;
    const char *schemas[16], *except[16];
    IntrospectOptions options = {.schemas = schemas, .except = except};
    for (int c; (c = getopt(argc, argv, "fopus:x:")) != -1;) {
        fingerprint = fingerprint || c == 'f';
        loose = loose || c == 'o';
        tell = tell || c == 'u';
        stored = stored || c == 'p';
        if (c == 's' && options.nschemas < 16)
            schemas[options.nschemas++] = optarg;
        if (c == 'x' && options.nexcept < 16)
            except[options.nexcept++] = optarg;
    }
    if (optind != argc - 1)
        return 2;
    Err err;
    Db *db;
    DbUrl url;
    if (!url_parse(a, argv[optind], "the call", &url, &err))
        return fail(&err);
    DbOptions how = {.url = &url,
                     .url_origin = "the call",
                     .application = "dump-catalog",
                     .connect_ms = 900000,
                     .operation_ms = 900000};
    if (!db_open(a, &how, &db, &err))
        return fail(&err);
    int64_t began = clock_ms();
    Catalog *c;
    bool ok = introspect(a, db, &options, &c, &err);
    db_close(db);
    if (!ok)
        return fail(&err);
    if (tell)
        usage(a, began);
    CatRules rules = {.ignore_column_order = loose,
                      .ignore_owners = loose,
                      .ignore_grants = loose,
                      .ignore_versions = loose};
    if (fingerprint)
        puts(hash_sha256_hex(a, catalog_json(a, c, &rules, false)));
    else if (stored) /* packed, as catalog_read takes it */
        fwrite(catalog_store(a, c).p, 1, catalog_store(a, c).n, stdout);
    else
        puts(catalog_json(a, c, loose ? &rules : NULL, true).p);
    return 0;
}
