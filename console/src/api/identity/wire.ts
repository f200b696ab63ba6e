// What the API says about people and sessions, in its own words.

export interface Person {
  id: string;
  firstName: string | null;
  lastName: string | null;
  email: string | null;
}

export interface Me {
  person: { id: string; firstName: string; lastName: string; name: string; email: string | null; admin: boolean };
  account: { id: string; name: string };
  server: { version: string; publicUrl: string; development: boolean };
}

export interface Session {
  access_token: string;
  expires_in: number;
  person: { id: string };
}
