/** What a test says that it expects, and what production says. */
export type Verdict = 'allow' | 'deny';

/** Members of a token. */
export type Claims = Readonly<Record<string, unknown>>;

/** One MCP message, as text, to one server. */
export type Ask = { readonly server: string; readonly message: string };

/** A list that a server answers with, and the request that an item of it stands for. */
export type List = {
  readonly method: string;
  readonly list: 'tools' | 'prompts' | 'resources' | 'resourceTemplates';
  /** The member that names an item. */
  readonly member: 'name' | 'uri' | 'uriTemplate';
  readonly means: string;
  readonly names: readonly string[];
};

/** A configuration, those who call, what they ask, and when. */
export type World = {
  readonly files: ReadonlyMap<string, string>;
  readonly callers: readonly Claims[];
  readonly asks: readonly Ask[];
  readonly lists: readonly List[];
  readonly momentsSeconds: readonly number[];
};
