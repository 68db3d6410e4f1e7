CREATE table people(id serial primary key, email text not null);
CREATE unique index people_email_key on people(email);
