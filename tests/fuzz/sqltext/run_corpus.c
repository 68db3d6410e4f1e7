/* Give each file of the folder argv[1] to the fuzz target, as an ordinary test. */
#include "base/fs.h"

#include <stdio.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
main(int argc, char **argv)
{
    ARENA_LOCAL(a);
    FsEntryVec files;
    Err err;
    if (argc != 2 || !fs_list(a, argv[1], &files, &err) || files.n == 0) {
        fprintf(stderr, "no corpus\n");
        return 1;
    }
    vec_each (const FsEntry, file, &files) {
        Str text;
        if (!fs_read(a, fs_join(a, argv[1], file->name), 0, &text, &err)) {
            fprintf(stderr, "%s\n", err.primary);
            return 1;
        }
        LLVMFuzzerTestOneInput((const uint8_t *)text.p, text.n);
    }
    return 0;
}
