/* JSON as a tree, and as JavaScript has it: numbers are doubles, written as JSON.stringify writes
 * them, so that what a tool in JavaScript has hashed can be hashed again. Files whose members are
 * walked once are read by base/jr. */
#pragma once

#include "base/str.h"

enum { JT_DEPTH = 200 }; /* of what may be nested */

typedef enum JtKind { JT_NULL, JT_BOOL, JT_NUMBER, JT_STRING, JT_ARRAY, JT_OBJECT } JtKind;

typedef struct JsonTree {
    JtKind kind;
    bool truth;
    double number;
    Str text;               /* of a string, NUL-terminated */
    size_t n;               /* items, or members */
    struct JsonTree *items; /* their values */
    Str *keys;              /* of an object: in the order of the file */
} JsonTree;

/* What is no JSON, and where; from 1. */
typedef struct JtError {
    int line, column;
    const char *why;
} JtError;

/* Parse a text; the tree is the arena's. Of a key that stands twice the last value counts. A NUL in a
 * string, bytes that are no UTF-8, numbers that no double holds, and more than JT_DEPTH levels are
 * errors. */
bool jt_parse(Arena *a, Str text, JsonTree *ret, JtError *error);

/* A member's value, or NULL: no object, or no such member. */
const JsonTree *jt_get(const JsonTree *t, const char *key);
/* The same of a string: NULL where it is none. */
const char *jt_text(const JsonTree *t, const char *key);

void jt_add_member(Arena *a, JsonTree *object, const char *key, JsonTree value);

/* The order of JavaScript's Array.sort for texts: by UTF-16 units. */
int jt_cmp_text(Str a, Str b);

/* Every object's keys as a JavaScript object has them when they are put into it in sorted order. */
void jt_sort(Arena *a, JsonTree *t);

/* JSON.stringify(t, null, indent). */
void jt_write(Buf *b, const JsonTree *t, int indent);
