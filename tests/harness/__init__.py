"""What the tests stand on: clusters, a fault proxy, Prisma's engine, catalogs, the program itself."""
