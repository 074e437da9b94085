import { useId } from "react";

interface Props<Value extends string> {
  label: string;
  value: Value;
  /** The text of each value, in the order in which they are offered. */
  options: readonly (readonly [value: Value, text: string])[];
  disabled?: boolean;
  onChange: (value: Value) => void;
}

/** A labelled choice of one value. */
export function Select<Value extends string>({ label, value, options, disabled = false, onChange }: Props<Value>) {
  const id = useId();
  return (
    <>
      <label htmlFor={id}>{label}</label>
      <select
        id={id}
        value={value}
        disabled={disabled}
        onChange={(event) => {
          onChange(event.target.value as Value);
        }}
      >
        {options.map(([name, text]) => (
          <option key={name} value={name}>
            {text}
          </option>
        ))}
      </select>
    </>
  );
}
