// undici's client alone, without its fetch and all else, which would double the bundle.
declare module 'undici/lib/dispatcher/client.js' {
  import { Client } from 'undici';
  export default Client;
}
