/**
 * ONNX's protobuf schema. The module is made by scripts/bundle.mjs: the package onnx-proto and what it needs, as one ES module
 * that exports as that package does. These are the types of what is used of it.
 */

/** As `long` holds 64 bits; `Number()` reads all of them. */
type Integer = number | { readonly low: number; readonly high: number; readonly unsigned: boolean; toString(): string }

declare namespace onnxProto {
  namespace onnx {
    interface IModelProto {
      irVersion?: Integer | null
      opsetImport?: IOperatorSetIdProto[] | null
      producerName?: string | null
      producerVersion?: string | null
      domain?: string | null
      modelVersion?: Integer | null
      docString?: string | null
      graph?: IGraphProto | null
      metadataProps?: IStringStringEntryProto[] | null
      functions?: IFunctionProto[] | null
    }
    interface IOperatorSetIdProto {
      domain?: string | null
      version?: Integer | null
    }
    interface IStringStringEntryProto {
      key?: string | null
      value?: string | null
    }
    interface IGraphProto {
      node?: INodeProto[] | null
      name?: string | null
      initializer?: ITensorProto[] | null
      sparseInitializer?: ISparseTensorProto[] | null
      docString?: string | null
      input?: IValueInfoProto[] | null
      output?: IValueInfoProto[] | null
      valueInfo?: IValueInfoProto[] | null
    }
    interface IFunctionProto {
      name?: string | null
      input?: string[] | null
      output?: string[] | null
      attribute?: string[] | null
      node?: INodeProto[] | null
      docString?: string | null
      opsetImport?: IOperatorSetIdProto[] | null
      domain?: string | null
    }
    interface INodeProto {
      input?: string[] | null
      output?: string[] | null
      name?: string | null
      opType?: string | null
      domain?: string | null
      attribute?: IAttributeProto[] | null
      docString?: string | null
    }
    interface IAttributeProto {
      name?: string | null
      refAttrName?: string | null
      docString?: string | null
      type?: AttributeProto.AttributeType | null
      f?: number | null
      i?: Integer | null
      s?: Uint8Array | null
      t?: ITensorProto | null
      g?: IGraphProto | null
      floats?: number[] | null
      ints?: Integer[] | null
      strings?: Uint8Array[] | null
      tensors?: ITensorProto[] | null
      graphs?: IGraphProto[] | null
    }
    interface IValueInfoProto {
      name?: string | null
      type?: ITypeProto | null
      docString?: string | null
    }
    interface ITypeProto {
      tensorType?: TypeProto.ITensor | null
      sequenceType?: object | null
      mapType?: object | null
      optionalType?: object | null
      sparseTensorType?: object | null
      denotation?: string | null
    }
    interface ITensorShapeProto {
      dim?: TensorShapeProto.IDimension[] | null
    }
    interface ISparseTensorProto {
      values?: ITensorProto | null
      indices?: ITensorProto | null
      dims?: Integer[] | null
    }
    interface ITensorProto {
      dims?: Integer[] | null
      dataType?: number | null
      floatData?: number[] | null
      int32Data?: number[] | null
      stringData?: Uint8Array[] | null
      int64Data?: Integer[] | null
      name?: string | null
      docString?: string | null
      rawData?: Uint8Array | null
      externalData?: IStringStringEntryProto[] | null
      dataLocation?: TensorProto.DataLocation | null
      doubleData?: number[] | null
      uint64Data?: Integer[] | null
    }

    /** What is decoded: repeated fields are there, if empty. `decode` throws an Error for what is no such message. */
    namespace ModelProto {
      function encode(message: IModelProto): { finish(): Uint8Array }
      function decode(bytes: Uint8Array): ModelProto
    }
    interface ModelProto extends IModelProto {
      opsetImport: IOperatorSetIdProto[]
      metadataProps: IStringStringEntryProto[]
      functions: IFunctionProto[]
    }
    interface TensorProto extends ITensorProto {
      dims: Integer[]
    }
    namespace NodeProto {
      function create(properties: INodeProto): INodeProto
    }
    namespace ValueInfoProto {
      function create(properties: IValueInfoProto): IValueInfoProto
    }
    namespace StringStringEntryProto {
      function create(properties: IStringStringEntryProto): IStringStringEntryProto
    }

    namespace AttributeProto {
      function decode(bytes: Uint8Array): IAttributeProto
      enum AttributeType {
        UNDEFINED = 0,
        FLOAT = 1,
        INT = 2,
        STRING = 3,
        TENSOR = 4,
        GRAPH = 5,
        FLOATS = 6,
        INTS = 7,
        STRINGS = 8,
        TENSORS = 9,
        GRAPHS = 10,
        SPARSE_TENSOR = 11,
        SPARSE_TENSORS = 12,
        TYPE_PROTO = 13,
        TYPE_PROTOS = 14
      }
    }
    namespace TypeProto {
      interface ITensor {
        elemType?: number | null
        shape?: ITensorShapeProto | null
      }
    }
    namespace TensorShapeProto {
      interface IDimension {
        dimValue?: Integer | null
        dimParam?: string | null
        denotation?: string | null
      }
    }
    namespace TensorProto {
      function create(properties: ITensorProto): TensorProto
      function decode(bytes: Uint8Array): TensorProto
      enum DataType {
        UNDEFINED = 0,
        FLOAT = 1,
        UINT8 = 2,
        INT8 = 3,
        UINT16 = 4,
        INT16 = 5,
        INT32 = 6,
        INT64 = 7,
        STRING = 8,
        BOOL = 9,
        FLOAT16 = 10,
        DOUBLE = 11,
        UINT32 = 12,
        UINT64 = 13,
        COMPLEX64 = 14,
        COMPLEX128 = 15,
        BFLOAT16 = 16
      }
      enum DataLocation {
        DEFAULT = 0,
        EXTERNAL = 1
      }
    }
  }
}

export default onnxProto
