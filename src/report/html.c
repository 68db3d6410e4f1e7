/* What all pages have in common. */
#include "report/html.h"

#include "base/hash.h"

#include "report/style.h"

static Str
style_of(const char *name)
{
    for (size_t i = 0; i < COUNT(report_embedded); i++)
        if (strcmp(report_embedded[i].name, name) == 0)
            return (Str){report_embedded[i].text, report_embedded[i].n};
    return STR("");
}

Str
html_erd_style(void)
{
    return style_of("erd.css");
}

/* Base64 of what the page's style hashes to: the policy lets this one in, and no other. */
static void
add_hash(Buf *out, Str style)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    unsigned char raw[33] = {0};
    HashState *h = hash_sha256_begin(out->arena);
    hash_sha256_add(h, style);
    hash_sha256_raw(h, raw);
    for (size_t i = 0; i < 32; i += 3) {
        unsigned bits =
            (unsigned)raw[i] << 16 | (unsigned)raw[i + 1] << 8 | (i + 2 < 32 ? raw[i + 2] : 0);
        for (int k = 3; k >= 0; k--)
            buf_addc(out, i + 2 >= 32 && k == 0 ? '=' : digits[bits >> (6 * k) & 63]);
    }
}

void
html_begin(Buf *out, const char *title, bool is_wide)
{
    Buf style;
    buf_init(&style, out->arena);
    buf_add(&style, style_of("page.css"));
    buf_add(&style, style_of("erd.css"));
    buf_addz(out, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                  "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
                  "style-src 'sha256-");
    add_hash(out, buf_str(&style));
    buf_addz(out, "'; base-uri 'none'; form-action 'none'\">\n"
                  "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                  "<meta name=\"referrer\" content=\"no-referrer\">\n<title>");
    html_textz(out, title);
    buf_addz(out, "</title>\n<style>");
    buf_add(out, buf_str(&style));
    buf_fmt(out, "</style>\n</head>\n<body>\n<main%s>\n", is_wide ? " class=\"wide\"" : "");
}

void
html_end(Buf *out)
{
    buf_addz(out, "</main>\n</body>\n</html>\n");
}

void
html_text(Buf *out, Str text, bool multiline)
{
    static const char special[] = "&<>\"'";
    static const char *const names[] = {"&amp;", "&lt;", "&gt;", "&quot;", "&#39;"};
    ARENA_LOCAL(a);
    for (const char *p = str_printable(a, text, multiline); *p; p++) {
        const char *at = strchr(special, *p);
        if (at)
            buf_addz(out, names[at - special]);
        else
            buf_addc(out, *p);
    }
}

void
html_textz(Buf *out, const char *text)
{
    html_text(out, str_of(text), false);
}
