/* Libraries that few commands need: loaded when one does, as loading them costs more than most
 * commands take; linked in where the program was built to stand alone (meson's option `linkage`).
 * A user's table of functions is filled either way. */
#pragma once

#include "base/err.h"

#include <stddef.h>

typedef void (*LibraryFn)(void);

typedef struct LibrarySymbol {
    const char *name;
    size_t offset;    /* in the user's table of pointers */
    LibraryFn linked; /* NULL where the library is loaded */
} LibrarySymbol;

/* A function of the library, and the table's member for it: of the same name, or of another. */
#ifdef ARAMID_LINKED
#define LIBRARY_SYMBOL_AS(table, member, fn)                                                       \
    {                                                                                              \
#fn, offsetof(table, member), (LibraryFn)(fn)                                              \
    }
#else
#define LIBRARY_SYMBOL_AS(table, member, fn)                                                       \
    {                                                                                              \
#fn, offsetof(table, member), NULL                                                         \
    }
#endif
#define LIBRARY_SYMBOL(table, fn) LIBRARY_SYMBOL_AS(table, fn, fn)

typedef struct Library {
    const char *names[3]; /* files, tried in this order */
    const char *what;     /* "PostgreSQL's client library", for messages */
    const char *package;  /* Debian's, for the hint */
    const LibrarySymbol *symbols;
    size_t n_symbols;
} Library;

/* Fill a table of functions; a loaded library stays until the process ends, without a handle: asking
 * again costs microseconds. errors: ERR_CONFIG: no such library, or one without a function */
MUST_CHECK bool library_load(const Library *lib, void *table, Err *err);

/* How the program is linked: "shared" (libraries are loaded), "libc" (all but libc is linked in),
 * "static". */
const char *library_linkage(void);

/* First in main: what a program without libc's shared parts must not do. glibc would load the modules
 * that /etc/nsswitch.conf names, which are those of another libc, and crash: names are looked up in
 * files and by DNS only. */
void library_begin(void);
