CREATE table a(id int primary key, b int, c text unique);
CREATE index i on a(b) where b > 1;
CREATE unique index u on a(c) where c <> 'x';
