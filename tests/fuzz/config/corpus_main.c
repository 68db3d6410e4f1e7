/* Runs a fuzz target over the files of a corpus, as an ordinary test. */
#include "base/fs.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
main(int argc, char **argv)
{
    ARENA_LOCAL(a);
    FsEntryVec entries = {0};
    Err err = {0};
    if (argc != 2 || !fs_list(a, argv[1], &entries, &err))
        return 1;
    vec_each (FsEntry, e, &entries) {
        Str text;
        if (!fs_read(a, fs_join(a, argv[1], e->name), 0, &text, &err))
            return 1;
        LLVMFuzzerTestOneInput((const uint8_t *)text.p, text.n);
    }
    return entries.n == 0;
}
