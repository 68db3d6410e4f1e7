/* SHA-256 of files, remembered by what stat(2) says of them, as git's index does: a file of the same size,
 * times, inode and device is the same. Entries that were too young when they were read are not kept: a file
 * may change twice within one tick of its times. The time of change (ctime) is part of it, which no program
 * sets; so an edit that restores size and mtime shows. */
#pragma once

#include "base/map.h"

typedef struct FileState {
    long long size, mtime_ns, ctime_ns, inode, device;
} FileState;

typedef struct FileStates {
    Arena *arena;
    const char *path; /* where they are kept; NULL = nowhere */
    Map known;        /* by file: FileKnown */
    size_t fresh;     /* that were added */
} FileStates;

/* Read what was kept at `path`; a file that is missing or damaged is empty. `a` owns all. */
void filestates_open(Arena *a, const char *path, FileStates *ret);

/* The state of a regular file, to be taken before it is read; false: there is none. */
bool filestate_of(const char *file, FileState *ret);

/* The hash of a file in that state; NULL = not known. */
const char *filestates_find(FileStates *s, const char *file, const FileState *state);

/* Remember the hash of a file that was in that state when it was read. Both strings belong to the caller. */
void filestates_note(FileStates *s, const char *file, const FileState *state, const char *sha256);

/* Keep them, where enough are new; those of files that nobody asked for are dropped. Errors are no errors:
 * the next command reads the files again. */
void filestates_save(const FileStates *s);
