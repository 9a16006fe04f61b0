import { MemoryStore } from '../../../controller/store/memory.ts';
import { storeContract } from '../../contract/store.ts';

storeContract('MemoryStore', () => new MemoryStore());
