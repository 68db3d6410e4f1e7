/* Tokens of JavaScript and TypeScript, as far as configuration files need them. */
#pragma once

#include "base/str.h"
#include "base/vec.h"

typedef enum JsKind {
    JS_END,
    JS_WORD,     /* identifier or keyword */
    JS_TEXT,     /* a string, or a template without ${}: `text` is its value */
    JS_TEMPLATE, /* a template with ${} */
    JS_NUMBER,
    JS_PUNCT, /* one character, or one of: => ... ?. ?? || && */
} JsKind;

typedef struct JsToken {
    JsKind kind;
    Str text;
    int line;
} JsToken;

typedef VEC(JsToken) JsTokenVec;

/* Cut the text into tokens, ending with JS_END. Never fails: an unclosed string ends with its line,
 * an unclosed comment or template with the text. Regular expressions are not known. */
void config_js_lex(Arena *a, Str text, JsTokenVec *ret);
