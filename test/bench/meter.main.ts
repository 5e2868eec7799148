// Loaded into a program that is not ours, by `node --import`, so that it can be measured as ours are.
import { answerUsage } from './meter.ts';

answerUsage();
