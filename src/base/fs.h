/* Files and folders. Paths are NUL-terminated; errors are ERR_IO with the path and the reason. */
#pragma once

#include "base/err.h"
#include "base/vec.h"

typedef enum FsKind {
    FS_MISSING,
    FS_FILE,
    FS_DIR,
    FS_OTHER, /* FIFO, socket, device */
} FsKind;

typedef struct FsEntry {
    const char *name;
    FsKind kind; /* of the link's target */
    bool is_link;
} FsEntry;

typedef VEC(FsEntry) FsEntryVec;

/* What is at `path` (links followed); FS_MISSING also for a dangling link or no permission. */
FsKind fs_kind(const char *path);
bool fs_exists(const char *path);
/* Whether two paths lead to the same file or folder. */
bool fs_same(const char *a, const char *b);

/* Read a whole regular file. max_bytes 0 = no limit. The text is NUL-terminated behind .n.
 * FIFOs and devices are refused, so that nothing ever blocks. */
MUST_CHECK bool fs_read(Arena *a, const char *path, size_t max_bytes, Str *ret, Err *err);
/* fs_read behind what is in a Buf already; after an error part of it may be there. */
MUST_CHECK bool fs_append(Buf *b, const char *path, size_t max_bytes, Err *err);
/* Bytes of a regular file; -1 where there is none. */
int64_t fs_size(const char *path);
/* Add to the end of a file that others write, too. errors: ERR_IO */
MUST_CHECK bool fs_add(const char *path, Str text, Err *err);
/* fs_read where no file is no error: then *ret_there is false. */
MUST_CHECK bool fs_read_if_there(Arena *a, const char *path, bool *ret_there, Str *ret, Err *err);

/* Entries of a folder without "." and "..", sorted by byte order of the name. */
MUST_CHECK bool fs_list(Arena *a, const char *path, FsEntryVec *ret, Err *err);

/* Write through a temporary file in the same folder, fsync and rename; mode as for open(2). */
MUST_CHECK bool fs_write(const char *path, Str text, unsigned mode, Err *err);

/* Give a user's file a new text in the same safe way: a link stays a link, owner and mode stay as
 * they are. A file that is not there is made, readable for all (0644); what is no file (a device, a
 * pipe) is written to. */
MUST_CHECK bool fs_replace(const char *path, Str text, Err *err);

/* Create the folder and its parents; existing folders are fine. */
MUST_CHECK bool fs_mkdirs(const char *path, unsigned mode, Err *err);

/* Remove a file or a whole tree (links are removed, not followed); missing is fine. */
MUST_CHECK bool fs_remove(const char *path, Err *err);

/* dir + "/" + name; an absolute name stays as it is; "" or "." as dir adds nothing. */
char *fs_join(Arena *a, const char *dir, const char *name);
char *fs_dirname(Arena *a, const char *path);
const char *fs_basename(const char *path);

/* The part of `path` below the folder `dir`, or all of it when it lies elsewhere; points into it. */
const char *fs_below(const char *dir, const char *path);

/* Absolute path without "." , ".." and double slashes; links stay as they are. */
char *fs_absolute(Arena *a, const char *path);

/* Close a file descriptor when the block is left. */
void fs_close_cleanup(int *fd);
#define FD_LOCAL __attribute__((cleanup(fs_close_cleanup))) int
