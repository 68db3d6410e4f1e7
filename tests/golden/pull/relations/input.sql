CREATE table a(id int primary key, u int unique, x int, y int, unique(x,y));
CREATE table b(id int primary key, a_id int not null references a(id), a2_id int references a(id) on delete cascade on update cascade, au int references a(u) on delete set null, ax int, ay int, foreign key(ax,ay) references a(x,y), o int unique references a(id), constraint custom foreign key (o) references a(id));
CREATE table selfr(id int primary key, parent_id int references selfr(id), boss int references selfr(id));
CREATE table one(id int primary key references a(id));
CREATE table camelCase("userId" int references a(id), id int primary key);
CREATE table defd(id int primary key, a_id int default 3 references a(id) on delete set default on update restrict);
