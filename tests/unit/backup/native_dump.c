/* native-dump URL FILE: Aramid's own dump of a database; objects that it leaves out on standard
 * error. */
#include "backup/native.h"
#include "base/fs.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static bool
write_all(void *arg, Str bytes, Err *err)
{
    while (bytes.n) {
        ssize_t n = write(*(int *)arg, bytes.p, bytes.n);
        if (n < 0)
            return err_set(err, ERR_IO, "writing failed");
        bytes = str_slice(bytes, (size_t)n, bytes.n);
    }
    return true;
}

int
main(int argc, char **argv)
{
    ARENA_LOCAL(a);
    Err err;
    DbUrl url;
    Db *db;
    NativeDump dump;
    if (argc != 3)
        return 2;
    FD_LOCAL fd = open(argv[2], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    NativeOptions o = {
        .write = write_all, .write_arg = &fd, .allow_left_out = true, .version = "test"};
    DbOptions how = {.url = &url,
                     .url_origin = "the test",
                     .application = "native-dump",
                     .connect_ms = 900000,
                     .operation_ms = 900000};
    bool ok = url_parse(a, argv[1], "the test", &url, &err) && db_open(a, &how, &db, &err);
    if (ok) {
        ok = backup_native_dump(a, db, &o, &dump, &err);
        db_close(db);
    }
    if (!ok) {
        fprintf(stderr, "%s\n%s\n%s\n", err.primary, err.detail, err.hint);
        return 1;
    }
    vec_each (const CatOther, x, &dump.left_out)
        fprintf(stderr, "%s %s.%s\n", x->what, x->schema ? x->schema : "", x->name);
    return 0;
}
