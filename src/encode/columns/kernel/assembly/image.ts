// Where in the memory the parts of the image are that the driver writes of a schema: exports of each module that reads
// one.

export {
  nodeBytes,
  nodeDefinition,
  nodeElement,
  nodeFields,
  nodeFieldsEnd,
  nodeKind,
  nodeLeaf,
  nodeLeafEnd,
  nodeRepetition,
} from './node'
export {
  kindBoolean,
  kindDouble,
  kindInt64,
  kindJson,
  kindList,
  kindString,
  kindStruct,
  kindTimestamp,
  leafBytes,
  leafCopies,
  levelsAt,
} from './state'
export {
  fieldBehindIt,
  fieldBytes,
  fieldHead,
  fieldLength,
  fieldMask,
  fieldName,
  fieldNode,
  tableAt as fieldTableAt,
  tableBits as fieldTableBits,
} from './walk'
