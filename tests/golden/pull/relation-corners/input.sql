CREATE table a(x int, y int, primary key(x,y));
CREATE table b(x int, y int, primary key (x,y), foreign key (x,y) references a(x,y));
CREATE table c(x int, y int, id int primary key, foreign key (x,y) references a(x,y), unique (y,x));
CREATE table d(x int not null, y int, id int primary key, foreign key (x,y) references a(x,y));
CREATE table e(id int primary key, x int, constraint z1 foreign key (id) references e(id), constraint a1 foreign key (x) references e(id) on delete cascade, constraint e_x_fkey foreign key(x) references e(id) on delete set null);
CREATE table f(id bigint primary key);
CREATE table g(id int primary key references f(id));
CREATE table h(id int primary key, e_id int references e(id));
CREATE unique index on h(e_id) where id > 5;
