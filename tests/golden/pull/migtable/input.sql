CREATE table _prisma_migrations(id int primary key);
CREATE table spatial_ref_sys(id int primary key);
