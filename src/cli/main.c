/* The program. */
#include "base/library.h"
#include "cli/cli.h"

int
main(int argc, char **argv)
{
    library_begin();
    return cli_main(cli_table(), argc, argv);
}
