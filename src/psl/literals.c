/* Texts of default values: JSON, base64, times, numbers. Each function returns NULL when the text
 * is right, else what is wrong with it. Prisma's libraries decide what is right: serde_json,
 * base64, chrono, bigdecimal. */
#include "psl/validate_int.h"

#include <math.h>
#include <stdlib.h>

/* -- JSON (RFC 8259) -- */

enum { JSON_DEPTH = 127 }; /* serde_json stops here */

typedef struct Json {
    const char *p, *end;
    const char *wrong;
} Json;

static bool
json_fail(Json *j, const char *wrong)
{
    if (!j->wrong)
        j->wrong = wrong;
    return false;
}

static void
json_blank(Json *j)
{
    while (j->p < j->end && (*j->p == ' ' || *j->p == '\t' || *j->p == '\n' || *j->p == '\r'))
        j->p++;
}

static int
json_hex4(Json *j)
{
    int value = 0;
    if (j->end - j->p < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        char ch = *j->p++;
        if (ch >= '0' && ch <= '9')
            value = value * 16 + (ch - '0');
        else if (ch >= 'a' && ch <= 'f')
            value = value * 16 + (ch - 'a' + 10);
        else if (ch >= 'A' && ch <= 'F')
            value = value * 16 + (ch - 'A' + 10);
        else
            return -1;
    }
    return value;
}

/* Behind \u: one unit, or a pair of surrogates */
static bool
json_unicode(Json *j)
{
    int unit = json_hex4(j);
    if (unit < 0)
        return json_fail(j, "it has an escape \\u without four hexadecimal digits");
    if (unit >= 0xdc00 && unit <= 0xdfff)
        return json_fail(j, "it has half of a surrogate pair");
    if (unit < 0xd800 || unit > 0xdbff)
        return true;
    if (j->end - j->p < 2 || j->p[0] != '\\' || j->p[1] != 'u')
        return json_fail(j, "it has half of a surrogate pair");
    j->p += 2;
    unit = json_hex4(j);
    return (unit >= 0xdc00 && unit <= 0xdfff) || json_fail(j, "it has half of a surrogate pair");
}

static bool
json_string(Json *j)
{
    j->p++;
    while (j->p < j->end && *j->p != '"') {
        if ((unsigned char)*j->p < 0x20)
            return json_fail(j, "a string holds a control character");
        if (*j->p++ != '\\')
            continue;
        if (j->p >= j->end || *j->p == '\0' || !strchr("\"\\/bfnrtu", *j->p))
            return json_fail(j, "a string holds an unknown escape");
        if (*j->p++ == 'u' && !json_unicode(j))
            return false;
    }
    if (j->p >= j->end)
        return json_fail(j, "a string is not closed");
    j->p++;
    return true;
}

static bool
json_digits(Json *j)
{
    const char *start = j->p;
    while (j->p < j->end && *j->p >= '0' && *j->p <= '9')
        j->p++;
    return j->p > start || json_fail(j, "a number is not complete");
}

static bool
json_number(Json *j)
{
    const char *start = j->p;
    if (*j->p == '-')
        j->p++;
    if (j->p < j->end && *j->p == '0') {
        j->p++;
        if (j->p < j->end && *j->p >= '0' && *j->p <= '9')
            return json_fail(j, "a number begins with 0");
    } else if (!json_digits(j)) {
        return false;
    }
    if (j->p < j->end && *j->p == '.') {
        j->p++;
        if (!json_digits(j))
            return false;
    }
    if (j->p < j->end && (*j->p == 'e' || *j->p == 'E')) {
        j->p++;
        if (j->p < j->end && (*j->p == '+' || *j->p == '-'))
            j->p++;
        if (!json_digits(j))
            return false;
    }
    /* strtod stops at the end of the number: what follows it is no digit, or a NUL. */
    return isfinite(strtod(start, NULL)) || json_fail(j, "a number is too large");
}

static bool
json_word(Json *j, const char *word)
{
    size_t n = strlen(word);
    if ((size_t)(j->end - j->p) < n || memcmp(j->p, word, n) != 0)
        return json_fail(j, "a value is none of JSON's");
    j->p += n;
    return true;
}

static bool json_value(Json *j, int depth);

/* members or elements up to the closing bracket */
static bool
json_list(Json *j, int depth, char close)
{
    if (depth == 0)
        return json_fail(j, "it is nested too deep");
    j->p++;
    json_blank(j);
    if (j->p < j->end && *j->p == close) {
        j->p++;
        return true;
    }
    for (;;) {
        json_blank(j);
        if (close == '}') {
            if (j->p >= j->end || *j->p != '"')
                return json_fail(j, "an object has a member without a name");
            if (!json_string(j))
                return false;
            json_blank(j);
            if (j->p >= j->end || *j->p++ != ':')
                return json_fail(j, "an object has a name without a value");
        }
        if (!json_value(j, depth - 1))
            return false;
        json_blank(j);
        if (j->p < j->end && *j->p == ',') {
            j->p++;
            continue;
        }
        if (j->p < j->end && *j->p == close) {
            j->p++;
            return true;
        }
        return json_fail(j, close == '}' ? "an object is not closed" : "an array is not closed");
    }
}

static bool
json_value(Json *j, int depth)
{
    json_blank(j);
    if (j->p >= j->end)
        return json_fail(j, "a value is missing");
    switch (*j->p) {
    case '{':
        return json_list(j, depth, '}');
    case '[':
        return json_list(j, depth, ']');
    case '"':
        return json_string(j);
    case 't':
        return json_word(j, "true");
    case 'f':
        return json_word(j, "false");
    case 'n':
        return json_word(j, "null");
    default:
        if (*j->p == '-' || (*j->p >= '0' && *j->p <= '9'))
            return json_number(j);
        return json_fail(j, "a value is none of JSON's");
    }
}

const char *
v_literal_json(Str s)
{
    Json j = {s.p, s.p + s.n, NULL};
    if (!json_value(&j, JSON_DEPTH))
        return j.wrong;
    json_blank(&j);
    return j.p == j.end ? NULL : "something follows the value";
}

/* -- base64 (RFC 4648 section 4): padded, canonical -- */

static int
base64_digit(char ch)
{
    if (ch >= 'A' && ch <= 'Z')
        return ch - 'A';
    if (ch >= 'a' && ch <= 'z')
        return ch - 'a' + 26;
    if (ch >= '0' && ch <= '9')
        return ch - '0' + 52;
    return ch == '+' ? 62 : ch == '/' ? 63 : -1;
}

const char *
v_literal_base64(Str s)
{
    if (s.n % 4)
        return "its length is not a multiple of 4";
    size_t pad = 0;
    while (pad < 2 && pad < s.n && s.p[s.n - 1 - pad] == '=')
        pad++;
    int last = 0;
    for (size_t i = 0; i < s.n - pad; i++) {
        last = base64_digit(s.p[i]);
        if (last < 0)
            return "it holds a character that base64 does not have";
    }
    if ((pad == 1 && (last & 3)) || (pad == 2 && (last & 15)))
        return "its last character holds bits that belong to no byte";
    return NULL;
}

/* -- RFC 3339, with chrono's liberties: a space for the T, U+2212 as minus -- */

static bool
digits(Str *s, size_t n, int *ret)
{
    int value = 0;
    if (s->n < n)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (s->p[i] < '0' || s->p[i] > '9')
            return false;
        value = value * 10 + (s->p[i] - '0');
    }
    *ret = value;
    *s = str_slice(*s, n, s->n);
    return true;
}

static bool
one_of(Str *s, const char *set)
{
    if (s->n == 0 || s->p[0] == '\0' || !strchr(set, s->p[0]))
        return false;
    *s = str_slice(*s, 1, s->n);
    return true;
}

static int
days_in_month(int year, int month)
{
    static const char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month == 2 && leap ? 29 : days[month - 1];
}

static const char *
zone(Str s)
{
    int hours, minutes;
    if (one_of(&s, "Zz"))
        return s.n ? "something follows the time zone" : NULL;
    if (str_starts(s, STR("\xe2\x88\x92")))
        s = str_slice(s, 3, s.n);
    else if (!one_of(&s, "+-"))
        return "the time zone is missing: Z or +00:00";
    if (!digits(&s, 2, &hours) || !one_of(&s, ":") || !digits(&s, 2, &minutes))
        return "the time zone is not of the form +00:00";
    if (hours > 23 || minutes > 59)
        return "the time zone is out of range";
    return s.n ? "something follows the time zone" : NULL;
}

const char *
v_literal_datetime(Str s)
{
    int year, month, day, hour, minute, second, digit;
    if (!digits(&s, 4, &year) || !one_of(&s, "-") || !digits(&s, 2, &month) || !one_of(&s, "-") ||
        !digits(&s, 2, &day))
        return "the date is not of the form 2024-12-31";
    if (!one_of(&s, "Tt ") || !digits(&s, 2, &hour) || !one_of(&s, ":") ||
        !digits(&s, 2, &minute) || !one_of(&s, ":") || !digits(&s, 2, &second))
        return "the time is not of the form T23:59:59";
    if (one_of(&s, ".")) {
        if (!digits(&s, 1, &digit))
            return "the fraction of the second is missing";
        while (digits(&s, 1, &digit))
            ;
    }
    if (month < 1 || month > 12 || day < 1 || day > days_in_month(year, month))
        return "the date does not exist";
    if (hour > 23 || minute > 59 || second > 60)
        return "the time does not exist";
    return zone(s);
}

/* -- numbers -- */

const char *
v_literal_integer(Str s, int64_t *ret)
{
    bool negative = s.n && s.p[0] == '-';
    uint64_t value = 0, limit = (uint64_t)INT64_MAX + negative;
    for (size_t i = negative; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9')
            return "it holds something else than digits";
        unsigned digit = (unsigned)(s.p[i] - '0');
        if (value > (limit - digit) / 10)
            return "it needs more than 64 bits";
        value = value * 10 + digit;
    }
    if (s.n == (size_t)negative)
        return "it has no digits";
    *ret = negative ? (int64_t)(0 - value) : (int64_t)value;
    return NULL;
}

/* [+-]digits[.digits][e[+-]digits]; one side of the point may be empty, underscores may follow the
 * first digit; the exponent fits into 64 bits. */
const char *
v_literal_decimal(Str s)
{
    size_t i = 0, count = 0;
    bool point = false;
    if (s.n && (s.p[0] == '+' || s.p[0] == '-'))
        i = 1;
    for (; i < s.n && s.p[i] != 'e' && s.p[i] != 'E'; i++) {
        if (s.p[i] == '.' && !point)
            point = true;
        else if (s.p[i] >= '0' && s.p[i] <= '9')
            count++;
        else if (s.p[i] != '_' || count == 0)
            return "it holds something else than digits";
    }
    if (count == 0)
        return "it has no digits";
    if (i == s.n)
        return NULL;
    Str exponent = str_slice(s, i + 1, s.n);
    if (exponent.n > 1 && exponent.p[0] == '+')
        exponent = str_slice(exponent, 1, exponent.n);
    int64_t value;
    return v_literal_integer(exponent, &value) ? "its exponent is not a whole number" : NULL;
}
