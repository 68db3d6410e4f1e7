/* The end of a process that found itself wrong. */
#include "base/invariant.h"

#include "base/err.h"

#include <stdio.h>
#include <unistd.h>

/* The sanitizers' runtime has it, where one is linked. */
__attribute__((weak)) void __sanitizer_print_stack_trace(void);

_Noreturn void
invariant_broken(const char *file, int line, const char *what)
{
    while (str_starts(str_of(file), STR("../")))
        file += 3;
    /* One write without stdio: its buffers may be what is broken. */
    char text[2048];
    int n = snprintf(
        text, sizeof text,
        "%serror: internal error: %s\n"
        "  at:     %s:%d, aramid %s\n"
        "  detail: this is a defect of Aramid, which stopped at once and cleaned nothing up. "
        "The server rolls back a transaction that was not committed; a statement that it had "
        "already received may still be carried out to its end.\n"
        "  hint:   `aramid status` says what the history records as applied. Please report these "
        "lines, and the command that was typed.\n",
        isatty(STDERR_FILENO) ? "\r\033[K" : "", what, file, line, ARAMID_VERSION);
    size_t size = (size_t)n < sizeof text ? (size_t)n : sizeof text - 1;
    if (write(STDERR_FILENO, text, size) != (ssize_t)size) {
        /* Nobody can be told; the exit status remains. */
    }
    if (__sanitizer_print_stack_trace)
        __sanitizer_print_stack_trace();
    _exit(err_info(ERR_INTERNAL)->exit_status);
}
