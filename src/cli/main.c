/* The program. */
#include "cli/cli.h"

int
main(int argc, char **argv)
{
    return cli_main(cli_table(), argc, argv);
}
