/* Tokens of JavaScript and TypeScript, as far as configuration files need them. */
#pragma once

#include "base/str.h"
#include "base/vec.h"

typedef enum JsKind {
    JS_END,
    JS_WORD,     /* identifier or keyword */
    JS_TEXT,     /* a string, or a template without ${}: `text` is its value */
    JS_TEMPLATE, /* a template with ${}: `pieces` */
    JS_NUMBER,
    JS_PUNCT, /* one character, or one of: => ... ?. ?? || && */
} JsKind;

/* A piece of a template: text as it is meant, or the source between "${" and "}". */
typedef struct JsPiece {
    Str text;
    bool is_code;
} JsPiece;

typedef struct JsToken {
    JsKind kind;
    Str text;
    int line;
    VEC(JsPiece) pieces;
} JsToken;

typedef VEC(JsToken) JsTokenVec;

/* Add the text's tokens to `ret`, ending with JS_END. Never fails: an unclosed string ends with its line,
 * an unclosed comment or template with the text. Regular expressions are not known. */
void config_js_lex(Arena *a, Str text, JsTokenVec *ret);
